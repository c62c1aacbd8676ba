/**
 * The mbox transport (RFC 4155): appends a message to a file, under its lock (mbox-lock.ts), synced. What cannot be
 * written whole is taken back. Lines that begin with `From ` are quoted so that it can be undone ("mboxrd").
 *
 * Files belong to the server's user; users' own spools are for a program or LMTP. Other programs must keep to
 * the lock file, or to a lock by fcntl(2) where the optional package koffi is installed.
 */
import { dirname } from 'node:path'
import type { Recipient } from '../mail/envelope.ts'
import type { Outcome } from '../mail/outcome.ts'
import { FileError, type OpenFile } from '../world/files.ts'
import type { World } from '../world/world.ts'
import { fileOutcome } from './file-outcome.ts'
import { behind, fromLine, quoted, traceFields, withLf } from './mail-text.ts'
import type { FileSettings } from './maildir.ts'
import { type Locker, lockMbox, type MboxLock } from './mbox-lock.ts'
import { fillPath, placeholdersIn } from './placeholder.ts'
import type { Load, Transport } from './transport.ts'
import { Turns } from './turns.ts'

export interface MboxSettings extends FileSettings {
  /** Known again after a crash; absent where several machines may be taken for one. */
  readonly installation?: string
}

export function mboxTransport(world: World, settings: () => MboxSettings): Transport {
  const life = Buffer.from(world.random.octets(8)).toString('hex')
  /** Deliveries of this process into one file go one after the other. */
  const turns = new Turns()
  return {
    async carry(load, route) {
      const { installation, hostname, separator } = settings()
      const locker = { life, ...(installation !== undefined && { installation }) }
      const outcomes: Outcome[] = []
      for (const recipient of load.envelope.recipients) {
        const pattern = route.kind === 'mbox' ? route.path : ''
        const box = boxOf(load, recipient, pattern, { hostname, separator })
        if (box === undefined) outcomes.push(fileOutcome.unsafe(`mbox:${pattern}`))
        else
          outcomes.push(
            await turns.take(box.path, () => deliver(world, load, recipient, box, locker)),
          )
      }
      return { outcomes }
    },
    close: () => Promise.resolve(),
  }
}

interface Box {
  readonly path: string
  /** One that stands under nobody's name is made where it is not there. */
  readonly fixed: boolean
}

function boxOf(
  { id, envelope }: Load,
  { forwardPath: recipient }: Recipient,
  pattern: string,
  { separator }: FileSettings,
): Box | undefined {
  const sender = envelope.sender.reversePath
  const path = fillPath(pattern, { id, sender, recipient, separator })
  const fixed = placeholdersIn(pattern).length === 0
  // Nobody is called as another's lock is.
  if (path === undefined || (!fixed && /\.lock(?:\.[^/]*)?$/.test(path))) return undefined
  return { path, fixed }
}

async function deliver(
  world: World,
  load: Load,
  recipient: Recipient,
  { path, fixed }: Box,
  locker: Locker,
): Promise<Outcome> {
  const place = `mbox:${path}`
  try {
    if (!fixed && (await world.files.look(path)) === undefined) return fileOutcome.nobody(place)
    const lock = await lockMbox(world, path, locker, fixed)
    if (lock === undefined) {
      return { kind: 'deferred', status: '4.2.0', reason: 'somebody else has locked it', place }
    }
    try {
      await append(world, load, recipient, { path, fixed }, lock)
      return fileOutcome.delivered(place, 'delivered')
    } finally {
      await lock.release()
    }
  } catch (error) {
    return fileOutcome.trouble(world.log, load.id, place, error)
  }
}

async function append(
  { files, clock }: World,
  load: Load,
  { forwardPath }: Recipient,
  { path, fixed }: Box,
  lock: MboxLock,
): Promise<void> {
  const { reversePath } = load.envelope.sender
  const file = await files.append(path, fixed)
  const before = file.sizeOctets
  try {
    const { identity = file.identity } = lock
    if (identity !== file.identity) throw new FileError('ESTALE', 'another file has its name now')
    const front = `${await gap(file)}${fromLine(reversePath, clock.now())}\n`
    await lock.begin(before, front)
    try {
      const message = behind(traceFields(reversePath, forwardPath), withLf(load.content()))
      for await (const octets of behind(front, quoted(message))) await file.write(octets)
      await file.write(Buffer.from('\n'))
      await file.sync()
      // Its name, where it is new.
      if (before === 0) await files.syncFolder(dirname(path))
      await lock.done()
    } catch (error) {
      await file.truncate(before)
      await file.sync()
      throw error
    }
  } finally {
    await file.close()
  }
}

/** A message begins behind an empty line. */
async function gap(file: OpenFile): Promise<string> {
  const { sizeOctets } = file
  if (sizeOctets === 0) return ''
  const end = Buffer.from(await file.read(Math.max(0, sizeOctets - 2), sizeOctets)).toString(
    'latin1',
  )
  return end.endsWith('\n\n') ? '' : end.endsWith('\n') ? '\n' : '\n\n'
}
