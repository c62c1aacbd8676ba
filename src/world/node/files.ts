/** Files of this machine. Implements world/files.ts. */
import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, link, lstat, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FileError, type Files, type Look, type OpenFile } from '../files.ts'
import { lockFile } from './file-locks.ts'

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants

export const nodeFiles: Files = {
  create: path => named(async () => openFile(await open(path, 'wx+', 0o600))),
  append: (path, make) =>
    named(async () => {
      // Without waiting: a pipe that stands there must not hold us up before we see what it is.
      const flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | (make ? O_CREAT : 0)
      return openFile(await open(path, flags, 0o600))
    }),
  read: (path, octetsMax) =>
    named(async () => {
      const file = await open(path, O_NOFOLLOW | O_NONBLOCK)
      try {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(octetsMax), 0, octetsMax, 0)
        return buffer.subarray(0, bytesRead)
      } finally {
        await file.close()
      }
    }),
  look: path =>
    named(async () => {
      try {
        return lookOf(await lstat(path, { bigint: true }))
      } catch (error) {
        if ((error as { code?: string }).code === 'ENOENT') return undefined
        throw error
      }
    }),
  link: (from, to) => named(() => link(from, to)),
  rename: (from, to) => named(() => rename(from, to)),
  remove: path => named(() => rm(path, { force: true })),
  makeFolder: path =>
    named(async () => {
      const first = await mkdir(path, { recursive: true, mode: 0o700 })
      if (first === undefined) return
      for (let made = path; made.length >= first.length; made = dirname(made)) {
        await syncFolder(dirname(made))
      }
    }),
  syncFolder: path => named(() => syncFolder(path)),
  lock: (path, make) => lockFile(path, make),
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function openFile(file: FileHandle): Promise<OpenFile> {
  const found = await file.stat({ bigint: true })
  if (!found.isFile()) {
    await file.close()
    throw new FileError('EINVAL', 'it is no regular file')
  }
  return {
    sizeOctets: Number(found.size),
    identity: identityOf(found),
    write: octets =>
      named(async () => {
        for (let at = 0; at < octets.length; ) {
          at += (await file.write(octets, at, octets.length - at)).bytesWritten
        }
      }),
    read: (from, to) =>
      named(async () => {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(to - from), 0, to - from, from)
        return buffer.subarray(0, bytesRead)
      }),
    truncate: sizeOctets => named(() => file.truncate(sizeOctets)),
    sync: () => named(() => file.sync()),
    close: () => named(() => file.close()),
  }
}

function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`
}

function lookOf(found: BigIntStats): Look {
  return {
    kind: found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other',
    identity: identityOf(found),
    names: Number(found.nlink),
    sizeOctets: Number(found.size),
    changedAt: Number(found.mtimeMs),
  }
}

/** Failures by the system's name for them. */
async function named<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof FileError) throw error
    const { code = 'EUNKNOWN', message } = error as { code?: string; message: string }
    throw new FileError(code, message)
  }
}
