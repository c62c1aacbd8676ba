/**
 * The lock of an mbox: a file beside it, `NAME.lock`, that only one can make (link(2) gives it to one alone,
 * over NFS too), and behind it the file's own lock by fcntl(2), where that can be had: other programs of the machine
 * keep to the one, the other or both. Who leaves a lock file behind for five minutes is taken for
 * dead. What we leave behind by a crash we know again: it notes where our message began, so that the next
 * life takes a torn one, or one that nobody knows to be delivered, out again before it writes.
 *
 *     postrider INSTALLATION LIFE
 *     at OCTETS FRONT       ; synced before the first octet is written; FRONT as JSON
 *     done                  ; synced once the message is: from here on it is delivered
 */
import { dirname } from 'node:path'
import { sleep } from '../world/clock.ts'
import { FileError, type FileLock, type Files, type Look, type OpenFile } from '../world/files.ts'
import type { World } from '../world/world.ts'

const WAIT_MS = 1_000
const PATIENCE_MS = 30_000
const STALE_MS = 300_000
const NOTE_MAX_OCTETS = 4096
const CHUNK_OCTETS = 65_536
const FROM_ = Buffer.from('\nFrom ')

/** Who locks: absent installation where several machines may be taken for one. */
export interface Locker {
  readonly installation?: string
  readonly life: string
}

export interface MboxLock extends LockFile {
  /** Of the file, where it is locked itself. */
  readonly identity?: string
}

interface LockFile {
  /** Our message will begin at the end of so many octets, with this text. */
  begin(sizeOctets: number, front: string): Promise<void>
  /** The message is durable. */
  done(): Promise<void>
  /** Never rejects. */
  release(): Promise<void>
}

type MboxWorld = Pick<World, 'files' | 'clock' | 'random'>

/**
 * Both locks; undefined where somebody else has one and keeps it.
 * @param make whether the file is made where it is not there
 */
export async function lockMbox(
  world: MboxWorld,
  path: string,
  locker: Locker,
  make: boolean,
): Promise<MboxLock | undefined> {
  const until = world.clock.monotonic() + PATIENCE_MS
  const beside = await lockBeside(world, path, locker, until)
  if (beside === undefined) return undefined
  try {
    const inside = await lockInside(world, path, make, until)
    if (inside === 'taken') await beside.release()
    return inside === 'taken' ? undefined : bothOf(beside, inside)
  } catch (error) {
    await beside.release()
    throw error
  }
}

function bothOf(beside: LockFile, inside: FileLock | 'unable'): MboxLock {
  if (inside === 'unable') return beside
  return {
    ...beside,
    identity: inside.identity,
    async release() {
      await inside.release()
      await beside.release()
    },
  }
}

async function lockInside(
  { files, clock, random }: MboxWorld,
  path: string,
  make: boolean,
  until: number,
): Promise<FileLock | 'taken' | 'unable'> {
  for (;;) {
    const lock = await files.lock(path, make)
    if (lock !== 'taken' || clock.monotonic() >= until) return lock
    await sleep(clock, WAIT_MS / 10 + random.below(WAIT_MS / 10))
  }
}

async function lockBeside(
  world: MboxWorld,
  path: string,
  locker: Locker,
  until: number,
): Promise<LockFile | undefined> {
  const { files, clock, random } = world
  const lock = `${path}.lock`
  const own = `${lock}.${Buffer.from(random.octets(8)).toString('hex')}`
  const file = await files.create(own)
  let taken = false
  try {
    await file.write(Buffer.from(`postrider ${locker.installation ?? '-'} ${locker.life}\n`))
    for (;;) {
      taken = await linked(files, own, lock)
      if (taken) return lockOf(files, lock, file)
      const gone = await overcome(files, path, lock, own, locker)
      if (gone) continue
      if (clock.monotonic() >= until) return undefined
      await sleep(clock, WAIT_MS + random.below(WAIT_MS))
    }
  } finally {
    await files.remove(own).catch(() => {})
    if (!taken) await file.close().catch(() => {})
  }
}

/** Whether the name is ours now: what link(2) says over NFS counts less than how many names the file has. */
async function linked(files: Files, own: string, lock: string): Promise<boolean> {
  try {
    await files.link(own, lock)
    return true
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    if ((await files.look(own))?.names === 2) return true
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function lockOf(files: Files, lock: string, file: OpenFile): LockFile {
  const note = async (text: string) => {
    await file.write(Buffer.from(`${text}\n`))
    await file.sync()
  }
  return {
    async begin(sizeOctets, front) {
      await note(`at ${sizeOctets} ${JSON.stringify(front)}`)
      await files.syncFolder(dirname(lock))
    },
    done: () => note('done'),
    // What is done is done, and a lock that stays is one of the dead.
    async release() {
      await file.close().catch(() => {})
      await files.remove(lock).catch(() => {})
    },
  }
}

/** Takes away the lock of the dead; true where it is gone. */
async function overcome(
  files: Files,
  path: string,
  lock: string,
  own: string,
  locker: Locker,
): Promise<boolean> {
  const found = await files.look(lock)
  if (found === undefined) return true
  const note = await noteOf(files, lock)
  const dead = locker.installation !== undefined && note.installation === locker.installation
  if (dead && note.life !== locker.life) {
    return (await takeOut(files, path, note)) && broken(files, lock, own, found)
  }
  const nowThere = (await files.look(own))?.changedAt ?? 0
  // By the clock of whoever keeps the files: ours may be wrong. Our own file is not older than this wait.
  if (nowThere - found.changedAt < STALE_MS) return false
  return broken(files, lock, own, found)
}

/** Removes just this lock: by a name of its own first, since another may have done so and locked anew. */
async function broken(files: Files, lock: string, own: string, found: Look): Promise<boolean> {
  const aside = `${own}.stale`
  try {
    await files.rename(lock, aside)
  } catch (error) {
    if (error instanceof FileError && error.code === 'ENOENT') return true
    throw error
  }
  const moved = await files.look(aside)
  const same = moved?.identity === found.identity && moved.changedAt === found.changedAt
  if (!same) await files.link(aside, lock).catch(() => {})
  await files.remove(aside)
  return same
}

interface Begun {
  readonly sizeOctets: number
  readonly front: string
}

interface Note {
  readonly installation: string
  readonly life: string
  readonly at?: Begun
  readonly done: boolean
}

async function noteOf(files: Files, lock: string): Promise<Note> {
  let text = ''
  try {
    text = Buffer.from(await files.read(lock, NOTE_MAX_OCTETS)).toString('utf8')
  } catch (error) {
    // It has gone meanwhile, or is not ours to read.
    if (!(error instanceof FileError)) throw error
  }
  const [, installation = '', life = ''] = /^postrider (\S+) (\S+)\n/.exec(text) ?? []
  const [, size, written = ''] = /^at (\d+) (".*")$/m.exec(text) ?? []
  const front = frontOf(written)
  return {
    installation,
    life,
    done: /^done$/m.test(text),
    ...(front !== undefined && { at: { sizeOctets: Number(size), front } }),
  }
}

/** undefined for a note that is torn: it was not synced, and so nothing was written behind it. */
function frontOf(written: string): string | undefined {
  try {
    return JSON.parse(written) as string
  } catch {
    return undefined
  }
}

/**
 * Takes out what a life of ours had begun to write, where that is all there is behind it. False where somebody
 * else is at the file just now.
 */
async function takeOut(files: Files, path: string, { at, done }: Note): Promise<boolean> {
  if (done || at === undefined) return true
  const found = await files.look(path)
  if (found?.kind !== 'file' || found.sizeOctets <= at.sizeOctets) return true
  const lock = await files.lock(path, false)
  if (lock === 'taken') return false
  try {
    await cutBack(files, path, at)
    return true
  } finally {
    if (lock !== 'unable') await lock.release()
  }
}

async function cutBack(files: Files, path: string, { sizeOctets, front }: Begun): Promise<void> {
  const file = await files.append(path, false)
  try {
    if (!(await isOurs(file, sizeOctets, front))) return
    await file.truncate(sizeOctets)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Whether our front stands there, or what a crash has left of it, and no message of others behind it. */
async function isOurs(file: OpenFile, from: number, text: string): Promise<boolean> {
  const front = Buffer.from(text)
  const there = await file.read(from, Math.min(file.sizeOctets, from + front.length))
  // Blocks that were never written are zeros.
  if (!there.every((octet, i) => octet === front[i] || octet === 0)) return false
  let before = Buffer.alloc(0)
  for (let at = from + front.length; at < file.sizeOctets; at += CHUNK_OCTETS) {
    const chunk = await file.read(at, Math.min(file.sizeOctets, at + CHUNK_OCTETS))
    const seen = Buffer.concat([before, chunk])
    if (seen.includes(FROM_)) return false
    before = seen.subarray(-(FROM_.length - 1))
  }
  return true
}
