/**
 * The helper process that holds locks of fcntl(2) (file-locks.ts asks it). The system gives such a lock up as soon
 * as its process closes any descriptor of the file: here nobody else has one, so that the server may open and close
 * the file as it likes. lockf(3) is fcntl for the whole of a file, with one way to call it on every system.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync } from 'node:fs'
import { type Koffi, loadKoffi, type NativeFunction } from './koffi.ts'
import { serve } from './neighbour.ts'

export type Question =
  | { readonly kind: 'lock'; readonly path: string; readonly make: boolean }
  | { readonly kind: 'release'; readonly identity: string }

export type Answer =
  | { readonly kind: 'locked'; readonly identity: string }
  | { readonly kind: 'taken' | 'unable' }
  | undefined

const F_TLOCK = 2
/** EACCES on every system; EAGAIN on Linux, and on the BSDs. */
const TAKEN = [13, 11, 35]
/** EINVAL, ENOSYS, EOPNOTSUPP, ENOLCK of Linux and of the BSDs: a file system without locks, as NFS may be. */
const UNABLE = [22, 38, 78, 95, 45, 37, 77]

/** Descriptors by their file's identity. */
const held = new Map<string, number>()
let loaded: { readonly koffi: Koffi; readonly lockf: NativeFunction } | undefined

serve(async question => {
  const asked = question as Question
  if (asked.kind === 'lock') return lock(asked.path, asked.make)
  const fd = held.get(asked.identity)
  held.delete(asked.identity)
  if (fd !== undefined) closeSync(fd)
  return undefined
})

async function lock(path: string, make: boolean): Promise<Answer> {
  loaded ??= await load()
  const { koffi, lockf } = loaded
  // To open and close it would give up the lock that is held under another name of the file.
  const there = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  if (there !== undefined && held.has(identityOf(there))) return { kind: 'taken' }
  const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants
  const fd = openSync(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | (make ? O_CREAT : 0), 0o600)
  if (lockf(fd, F_TLOCK, 0) === 0) {
    const identity = identityOf(fstatSync(fd, { bigint: true }))
    held.set(identity, fd)
    return { kind: 'locked', identity }
  }
  const errno = koffi.errno()
  closeSync(fd)
  if (TAKEN.includes(errno)) return { kind: 'taken' }
  if (UNABLE.includes(errno)) return { kind: 'unable' }
  throw new Error(`lockf: error ${errno}`)
}

async function load() {
  const koffi = await loadKoffi()
  // The C library is there already, in this very program.
  return { koffi, lockf: koffi.load(null).func('int lockf(int fd, int command, int64_t length)') }
}

function identityOf({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${dev}:${ino}`
}
