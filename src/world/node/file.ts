/**
 * A file by its descriptor, each call in the pool of threads. The promises of node:fs/promises make an
 * object, an array and a wrapper for each call; these make a promise. Called by disk.ts. Whoever opens a
 * file closes it, once.
 */
import { close, fdatasync, fstat, fsync, open, read, type Stats, stat, write } from 'node:fs'

type Callback = (error: Error | null) => void

function called(start: (done: Callback) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start(error => (error === null ? resolve() : reject(error)))
  })
}

export function openFile(path: string, flags: string, mode?: number): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, flags, mode, (error, file) => (error === null ? resolve(file) : reject(error)))
  })
}

/** Writes from there on; gives how many octets it took. */
export function writeAt(file: number, octets: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(file, octets, 0, octets.length, position, (error, written) =>
      error === null ? resolve(written) : reject(error),
    )
  })
}

/** Reads from there on into the octets; gives how many came. */
export function readAt(file: number, octets: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(file, octets, 0, octets.length, position, (error, count) =>
      error === null ? resolve(count) : reject(error),
    )
  })
}

export function statOf(file: number): Promise<Stats> {
  return new Promise((resolve, reject) => {
    fstat(file, (error, stats) => (error === null ? resolve(stats) : reject(error)))
  })
}

/** Of what has that name now; undefined where nothing has. */
export function statNamed(path: string): Promise<Stats | undefined> {
  return new Promise((resolve, reject) => {
    stat(path, (error, stats) => {
      if (error === null) resolve(stats)
      else if (error.code === 'ENOENT') resolve(undefined)
      else reject(error)
    })
  })
}

/** The octets, and what is needed to find them again, are on the disk. */
export function syncData(file: number): Promise<void> {
  return called(done => fdatasync(file, done))
}

/** Everything of it is on the disk; of a directory, its names. */
export function syncFile(file: number): Promise<void> {
  return called(done => fsync(file, done))
}

/** Closes it some time soon. */
export function closeFile(file: number): void {
  close(file, () => {})
}
