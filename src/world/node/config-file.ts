/**
 * Where a config is found on disk and how its text, its environment and its secret files are read.
 * Called by server/epoch.ts and the command line.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'

/** The names a config may have, in the order they are looked for. */
const CONFIG_NAMES = [
  'postrider.config.ts',
  'postrider.config.mts',
  'postrider.config.js',
  'postrider.config.mjs',
  'postrider.config.json',
  'postrider.config.toml',
] as const

/** The config files of a folder; more than one is a mistake that the caller reports. */
export function configsIn(folder: string): string[] {
  return CONFIG_NAMES.map(name => resolve(folder, name)).filter(path => existsSync(path))
}

/** The folder that relative paths are meant from. */
export function currentFolder(): string {
  return process.cwd()
}

export function pathExists(path: string): boolean {
  return existsSync(path)
}

/** Whether there is a folder of that name. */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** Why a file cannot be read; `denied` where another user may be able to. */
export interface Unread {
  readonly reason: string
  readonly denied?: true
}

/** The text of a file, or why it cannot be read. */
export function readText(path: string): { readonly text: string } | Unread {
  try {
    return { text: readFileSync(path, 'utf8') }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return { reason: 'there is no such file' }
    if (code === 'EACCES') return { reason: 'it may not be read by this user', denied: true }
    if (code === 'EISDIR') return { reason: 'it is a folder' }
    return { reason: (error as Error).message }
  }
}

/** A variable of the environment. */
export function environment(name: string): string | undefined {
  return process.env[name]
}
