/**
 * Makes a folder and those above it. Node's own recursive mkdir never returns where a folder can never be made
 * (below /proc, whose files come and go by themselves), and a path that somebody mistyped must not spin.
 */
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** Gives the first folder that was made, undefined where all were there. Throws as mkdir does. */
export function makeFolders(path: string, mode = 0o777): string | undefined {
  try {
    mkdirSync(path, { mode })
    return path
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(path).isDirectory()) return undefined
    const above = dirname(path)
    if (code !== 'ENOENT' || above === path) throw error
    const first = makeFolders(above, mode)
    mkdirSync(path, { mode })
    return first ?? path
  }
}
