/**
 * Staged bodies as files of one directory. Implements world/disk.ts. What is large is written as it is
 * given, by the pool of threads; small pieces are gathered. `seal` costs one fdatasync and, meanwhile, its
 * share of one directory fsync that all seals of the moment wait for.
 *
 * A file is a descriptor and callbacks (file.ts): the promises of node:fs cost the main thread three times
 * as much for each of the four calls of a body.
 */
import { randomBytes } from 'node:crypto'
import { opendir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Disk, DiskFull, DiskUnavailable, type StagedBody } from '../disk.ts'
import {
  closeFile,
  openFile,
  readAt,
  statNamed,
  statOf,
  syncData,
  syncFile,
  writeAt,
} from './file.ts'
import { FreeSpace } from './free-space.ts'
import { makeFolders } from './make-folders.ts'

const CHUNK_OCTETS = 262_144
/** From here on octets are written as they are given, without gathering. */
const DIRECT_OCTETS = 16_384

/**
 * A name as `stage` gives them, or the stem of a body that a backup brought here from elsewhere; anything
 * else is not ours, and never a path.
 */
const NAME = /^(?:[0-9a-z]{1,12}-[0-9a-f]{24}|(?:s3|database)_[0-9a-f]{32})$/

/** Opens the directory, making it (mode 0700) if need be. */
export async function nodeDisk(directory: string): Promise<Disk> {
  makeFolders(directory, 0o700)
  const sync = directorySync(directory)
  const space = new FreeSpace(directory)
  const staged = new StagedHere()
  const pathOf = (name: string) => {
    if (!NAME.test(name)) throw new Error(`not the name of a staged body: ${name}`)
    return join(directory, name)
  }
  return {
    async stage() {
      const name = `${Date.now().toString(36)}-${randomBytes(12).toString('hex')}`
      const path = pathOf(name)
      try {
        const descriptor = await openFile(path, 'wx', 0o600)
        return new StagedFile(name, path, descriptor, { sync, space, touch: staged.add(name) })
      } catch (error) {
        throw translated(error)
      }
    },
    read: (name, from, to) => readFile(pathOf(name), from, to),
    async remove(name) {
      await removeFile(pathOf(name))
      staged.forget(name)
    },
    list: () => listFiles(directory, staged),
    freeOctets: () => space.octets(),
    async probe() {
      try {
        await stat(directory)
      } catch (error) {
        throw new DiskUnavailable(
          `the directory of bodies cannot be reached: ${String(codeOf(error))}`,
        )
      }
    },
  }
}

/** Remembered for so long behind the last write: far longer than any row is on its way. */
const REMEMBERED_MS = 1_800_000

/** When (monotonic ms) something was written last. */
interface Touch {
  ms: number
}

/** What this life has staged lately. */
class StagedHere {
  readonly #touches = new Map<string, Touch>()

  add(name: string): Touch {
    const now = performance.now()
    for (const [oldest, { ms }] of this.#touches) {
      if (now - ms < REMEMBERED_MS) break
      this.#touches.delete(oldest)
    }
    const touch = { ms: now }
    this.#touches.set(name, touch)
    return touch
  }

  forget(name: string): void {
    this.#touches.delete(name)
  }

  /** Since how long nothing was written to it; undefined for what others staged, or we long ago. */
  restsMs(name: string): number | undefined {
    const touch = this.#touches.get(name)
    return touch && performance.now() - touch.ms
  }
}

/** What a file has of its directory. */
interface Shared {
  readonly sync: () => Promise<void>
  readonly space: FreeSpace
  readonly touch: Touch
}

class StagedFile implements StagedBody {
  readonly name: string
  readonly #path: string
  readonly #file: number
  readonly #sync: () => Promise<void>
  readonly #space: FreeSpace
  readonly #touch: Touch
  #buffer: Buffer | undefined
  #filled = 0
  #position = 0
  #unsettled: Promise<void>[] = []
  #failure: { readonly error: unknown } | undefined
  #over: Promise<void> | undefined
  #closed = false

  constructor(name: string, path: string, file: number, { sync, space, touch }: Shared) {
    this.#space = space
    this.#touch = touch
    this.name = name
    this.#path = path
    this.#file = file
    this.#sync = sync
  }

  async write(octets: Uint8Array): Promise<void> {
    if (this.#over) throw new Error('a staged body is written after its end')
    if (this.#filled === 0 && octets.length >= DIRECT_OCTETS) {
      // Large enough for a write of its own: no copy, but the caller's octets until it is done.
      await this.#start(octets)
      if (this.#failure) throw this.#failure.error
      return
    }
    let from = 0
    while (from < octets.length) {
      this.#buffer ??= Buffer.allocUnsafeSlow(CHUNK_OCTETS)
      const part = octets.subarray(from, from + CHUNK_OCTETS - this.#filled)
      this.#buffer.set(part, this.#filled)
      this.#filled += part.length
      from += part.length
      if (this.#filled === CHUNK_OCTETS) this.#flush()
    }
    while (this.#unsettled.length > 1) await this.#unsettled[0]
    if (this.#failure) throw this.#failure.error
  }

  seal(): Promise<void> {
    if (this.#over) return this.#over
    this.#over = this.#seal()
    return this.#over
  }

  async abort(): Promise<void> {
    this.#over ??= Promise.resolve()
    await Promise.all(this.#unsettled)
    await this.#over.catch(() => {})
    this.#close()
    await removeFile(this.#path)
  }

  async #seal(): Promise<void> {
    if (this.#filled > 0) this.#flush()
    await Promise.all(this.#unsettled)
    try {
      if (this.#failure) throw this.#failure.error
      // Its name has been in the directory since it was opened.
      const synced = await Promise.allSettled([syncData(this.#file), this.#sync()])
      for (const one of synced) if (one.status === 'rejected') throw one.reason
      await this.#find()
    } catch (error) {
      throw translated(error)
    } finally {
      this.#buffer = undefined
      this.#close()
    }
  }

  /** What somebody has removed or cut meanwhile was synced as ever, and cannot be read again. */
  async #find(): Promise<void> {
    const [own, named] = await Promise.all([statOf(this.#file), statNamed(this.#path)])
    if (named?.ino === own.ino && named.size === this.#position) return
    throw new DiskUnavailable(`${this.#path} was removed or cut while it was written`)
  }

  /** Nobody waits for it: whatever is to last was synced before. */
  #close(): void {
    if (this.#closed) return
    this.#closed = true
    closeFile(this.#file)
  }

  /** Starts the write of what is gathered; a failure is kept for the next call. */
  #flush(): void {
    const octets = (this.#buffer as Buffer).subarray(0, this.#filled)
    this.#buffer = undefined
    this.#filled = 0
    void this.#start(octets)
  }

  #start(octets: Uint8Array): Promise<void> {
    this.#touch.ms = performance.now()
    const position = this.#position
    this.#position += octets.length
    this.#space.took(octets.length)
    const write = writeWhole(this.#file, octets, position).then(
      () => {},
      error => {
        this.#failure ??= { error: translated(error) }
      },
    )
    this.#unsettled.push(write)
    void write.then(() => {
      this.#unsettled = this.#unsettled.filter(other => other !== write)
    })
    return write
  }
}

/** A write may take less than it is given: on a disk that is nearly full, for one. */
async function writeWhole(file: number, octets: Uint8Array, position: number): Promise<void> {
  let from = 0
  while (from < octets.length) {
    from += await writeAt(file, octets.subarray(from), position + from)
  }
}

/** One fsync at a time: those who come while it runs share the next one. */
function directorySync(directory: string): () => Promise<void> {
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  const run = async () => {
    const handle = await openFile(directory, 'r')
    try {
      await syncFile(handle)
    } finally {
      closeFile(handle)
    }
  }
  const start = () => {
    const mine = run().finally(() => {
      if (running === mine) running = undefined
    })
    running = mine
    return mine
  }
  return () => {
    if (!running) return start()
    next ??= running
      .catch(() => {})
      .then(() => {
        next = undefined
        return start()
      })
    return next
  }
}

async function* readFile(path: string, from: number, to: number): AsyncIterable<Uint8Array> {
  const file = await openFile(path, 'r')
  try {
    let position = from
    while (position < to) {
      const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_OCTETS, to - position))
      const bytesRead = await readAt(file, buffer, position)
      if (bytesRead === 0) throw new Error(`a staged body ends at ${position}, before ${to}`)
      position += bytesRead
      yield bytesRead === buffer.length ? buffer : buffer.subarray(0, bytesRead)
    }
  } finally {
    closeFile(file)
  }
}

async function* listFiles(directory: string, staged: StagedHere) {
  for await (const entry of await opendir(directory)) {
    if (!entry.isFile() || !NAME.test(entry.name)) continue
    try {
      const { size, mtimeMs } = await stat(join(directory, entry.name))
      const { name } = entry
      const restsMs = staged.restsMs(name)
      const changedAt = Math.floor(mtimeMs)
      yield { name, sizeOctets: size, changedAt, ...(restsMs !== undefined && { restsMs }) }
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
    }
  }
}

async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

function translated(error: unknown): unknown {
  const code = codeOf(error)
  const full = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
  return full ? new DiskFull(`the disk takes no more: ${code}`) : error
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code
}
