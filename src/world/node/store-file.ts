/**
 * The few things the store needs of the file system beside SQLite: its schema texts, a database file
 * that nobody else may read, and the pieces of a backup. Called by src/store only.
 */
import { closeSync, fsyncSync, openSync, readFileSync, statSync } from 'node:fs'
import { chmod, mkdir, open, readdir } from 'node:fs/promises'
import { dirname } from 'node:path'

/** A text that ships with the program. */
export function readShipped(url: URL): string {
  return readFileSync(url, 'utf8')
}

/** Makes the file, empty and with mode 0600, unless it is there. SQLite gives -wal and -shm its mode. */
export function createPrivateFile(path: string): void {
  closeSync(openSync(path, 'a', 0o600))
}

/** The size of a file, in octets. */
export function fileSize(path: string): number {
  return statSync(path).size
}

/** Makes a new directory with mode 0700, or takes an empty one; throws where anything else is there. */
export async function createPrivateDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    if ((await readdir(path)).length > 0) throw error
    // What is put into it is for the owner alone, whoever made it.
    await chmod(path, 0o700)
  }
}

/** Writes a new file with mode 0600 and syncs it; returns its size in octets. */
export async function writePrivateFile(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
): Promise<number> {
  const file = await open(path, 'wx', 0o600)
  try {
    let sizeOctets = 0
    for await (const chunk of chunks) {
      await file.write(chunk)
      sizeOctets += chunk.byteLength
    }
    await file.sync()
    return sizeOctets
  } finally {
    await file.close()
  }
}

/** Syncs a file and the directory that names it. */
export function syncFile(path: string): void {
  for (const each of [path, dirname(path)]) {
    const fd = openSync(each, 'r')
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  }
}
