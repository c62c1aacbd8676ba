/**
 * A file system of a few megabytes in a file, mounted by loop: a disk that fills for real, page
 * cache, journal and all. Needs root; without it `undefined`, and the test says that it was skipped.
 */
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { newFolder } from './server.ts'

const MB = 1024 * 1024

/** FS_IOC_SHUTDOWN without a flush of the journal. */
const SHUTDOWN = `import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))`

export interface SmallDisk {
  readonly folder: string
  /** Writes ballast until nothing more fits; leaves so many octets free. */
  fill(leaveOctets?: number): void
  /** Octets that are free. */
  free(): number
  /** Takes the ballast away. */
  relieve(): void
  /** Remounts it for reading only, or for writing again; false where the kernel would not. */
  readOnly(on: boolean): boolean
  /** It is gone at once, as by a power cut: what was not synced is lost. Nothing works until `again`. */
  cut(): boolean
  /** Mounted anew, its journal replayed; whoever had it open must be gone. */
  again(): boolean
  /** Unmounts; whatever still holds it is left to the kernel. */
  close(): void
}

export function mountSmallDisk(sizeMb: number): SmallDisk | undefined {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return undefined
  const root = newFolder('disk')
  const image = join(root, 'image')
  const folder = join(root, 'mount')
  mkdirSync(folder)
  const file = openSync(image, 'w')
  ftruncateSync(file, sizeMb * MB)
  closeSync(file)
  const done = (command: string, ...args: string[]) =>
    spawnSync(command, args, { stdio: 'ignore' }).status === 0
  if (!done('mkfs.ext4', '-q', '-m', '0', image)) return undefined
  if (!done('mount', '-o', 'loop', image, folder)) return undefined
  const ballast = join(folder, 'ballast')
  return {
    folder,
    fill(leaveOctets = 0) {
      if (leaveOctets > 0) fillFile(join(folder, 'reserve'), leaveOctets)
      fillFile(ballast, Number.POSITIVE_INFINITY)
      rmSync(join(folder, 'reserve'), { force: true })
    },
    free() {
      const { bavail, bsize } = statfsSync(folder)
      return bavail * bsize
    },
    readOnly: on => done('mount', '-o', `remount,${on ? 'ro' : 'rw'}`, folder),
    cut: () => done('python3', '-c', SHUTDOWN, folder),
    again: () => done('umount', folder) && done('mount', '-o', 'loop', image, folder),
    relieve: () => rmSync(ballast, { force: true }),
    close() {
      if (!done('umount', folder)) done('umount', '-l', folder)
    },
  }
}

/** Makes a file of so many octets, or as large as there is room. */
function fillFile(path: string, octets: number): void {
  const file = openSync(path, 'a')
  let left = octets
  for (const size of [MB, 4096]) {
    const piece = Buffer.alloc(size, 1)
    try {
      while (left >= size) left -= writeSync(file, piece)
    } catch {
      // ENOSPC: the next smaller piece may still fit.
    }
  }
  closeSync(file)
}
