/** Makes a file that must not be there yet. Called by `postrider init`. */
import { writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { makeFolders } from './make-folders.ts'

/** Writes `text` to a new file and its folders; gives the reason where that failed. */
export function createFile(path: string, text: string): string | undefined {
  try {
    makeFolders(dirname(path))
    writeFileSync(path, text, { flag: 'wx' })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
