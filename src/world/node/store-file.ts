/**
 * The few things the store needs of the file system beside SQLite: its schema texts, a database file
 * that nobody else may read, and the pieces of a backup. Called by src/store only.
 */
import { createHash } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
} from 'node:fs'
import { chmod, mkdir, open, readdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'

/** A text that ships with the program. */
export function readShipped(url: URL): string {
  return readFileSync(url, 'utf8')
}

/** Makes the file, empty and with mode 0600, unless it is there. SQLite gives -wal and -shm its mode. */
export function createPrivateFile(path: string): void {
  closeSync(openSync(path, 'a', 0o600))
}

/** Whether there is a file of that name. */
export function fileExists(path: string): boolean {
  return existsSync(path)
}

/** Whether something else than a file has the name: who opens a FIFO waits for ever. */
export function isNoFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === false
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

/** Makes a directory with mode 0700, unless it is there. */
export async function ensurePrivateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
}

/** What a file holds: its size in octets, and its SHA-256 in hexadecimal digits. */
export interface Written {
  readonly sizeOctets: number
  readonly sha256: string
}

/**
 * Writes a file with mode 0600 and syncs it.
 * @param how 'anew' throws where there is one; 'over' is for who goes on with what was cut off
 */
export async function writePrivateFile(
  path: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  how: 'anew' | 'over' = 'anew',
): Promise<Written> {
  const file = await open(path, how === 'anew' ? 'wx' : 'w', 0o600)
  const hash = createHash('sha256')
  try {
    let sizeOctets = 0
    for await (const chunk of chunks) {
      hash.update(chunk)
      await file.write(chunk)
      sizeOctets += chunk.byteLength
    }
    await file.sync()
    return { sizeOctets, sha256: hash.digest('hex') }
  } finally {
    await file.close()
  }
}

/** The octets of a file, in chunks. */
export async function* readFileChunks(path: string): AsyncGenerator<Uint8Array, void, void> {
  yield* createReadStream(path, { highWaterMark: 1_048_576 })
}

/** The lines of a text file. */
export function readFileLines(path: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })
}

/** The SHA-256 of a file, in hexadecimal digits. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of readFileChunks(path)) hash.update(chunk)
  return hash.digest('hex')
}

/** The names in a directory; none where there is no directory. */
export async function namesIn(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Gives a file its name, durably. */
export function renameFile(from: string, to: string): void {
  renameSync(from, to)
  syncFile(to)
}

/** Removes files and directories, whether they are there or not. */
export async function removeAll(...paths: readonly string[]): Promise<void> {
  for (const path of paths) await rm(path, { recursive: true, force: true })
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
