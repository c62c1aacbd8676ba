/** What has come into a Maildir: how many peers tell that they have delivered. */
import { readdirSync } from 'node:fs'

/** 0 where there is no such folder yet. */
export function filesIn(folder: string): number {
  try {
    return readdirSync(folder).length
  } catch {
    return 0
  }
}
