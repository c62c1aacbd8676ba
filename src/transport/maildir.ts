/**
 * The Maildir transport: a file in `tmp`, synced, then given its name in `new`, synced too: it is there whole
 * or not at all, without a lock. The name is made of the message and the recipient, so that who was
 * stopped between the name and its settling finds it there and makes no second copy.
 *
 * Files belong to the server's user. Users' own folders elsewhere are for a program or LMTP.
 */
import { createHash } from 'node:crypto'
import type { Recipient } from '../mail/envelope.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { Files } from '../world/files.ts'
import type { World } from '../world/world.ts'
import { fileOutcome } from './file-outcome.ts'
import { behind, traceFields, withLf } from './mail-text.ts'
import { fillPath, placeholdersIn } from './placeholder.ts'
import type { Load, Transport } from './transport.ts'

export interface FileSettings {
  readonly hostname: string
  /** What parts a local part from its detail. */
  readonly separator: string
}

export function maildirTransport(world: World, settings: () => FileSettings): Transport {
  return {
    async carry(load, route) {
      const outcomes: Outcome[] = []
      for (const recipient of load.envelope.recipients) {
        const path = route.kind === 'maildir' ? route.path : ''
        outcomes.push(await deliver(world, load, recipient, path, settings()))
      }
      return { outcomes }
    },
    close: () => Promise.resolve(),
  }
}

async function deliver(
  world: World,
  load: Load,
  { forwardPath }: Recipient,
  pattern: string,
  { hostname, separator }: FileSettings,
): Promise<Outcome> {
  const { reversePath } = load.envelope.sender
  const delivering = { id: load.id, sender: reversePath, recipient: forwardPath, separator }
  const path = fillPath(pattern, delivering)
  if (path === undefined) return fileOutcome.unsafe(`maildir:${pattern}`)
  const place = `maildir:${path}`
  const { files } = world
  try {
    if (!(await isReady(files, path, placeholdersIn(pattern).length === 0))) {
      return fileOutcome.nobody(place)
    }
    const name = nameOf(load.id, `${forwardPath.local}@${forwardPath.domain}`, hostname)
    if ((await files.look(`${path}/new/${name}`)) !== undefined) {
      await files.syncFolder(`${path}/new`)
      return fileOutcome.delivered(place, 'it was there already')
    }
    await writeNew(files, path, name, load, traceFields(reversePath, forwardPath))
    return fileOutcome.delivered(place, 'delivered')
  } catch (error) {
    return fileOutcome.trouble(world.log, load.id, place, error)
  }
}

/** A fixed Maildir is made; one that stands under somebody's name must be there, or there is nobody of it. */
async function isReady(files: Files, path: string, fixed: boolean): Promise<boolean> {
  if (!fixed && (await files.look(path))?.kind !== 'folder') return false
  for (const folder of ['tmp', 'new', 'cur']) {
    if ((await files.look(`${path}/${folder}`)) !== undefined) continue
    await files.makeFolder(`${path}/${folder}`)
  }
  return true
}

async function writeNew(
  files: Files,
  path: string,
  name: string,
  load: Load,
  front: string,
): Promise<void> {
  const before = `${path}/tmp/${name}`
  // What a life that was stopped has left: this delivery is in nobody's hands but ours.
  await files.remove(before)
  const file = await files.create(before)
  try {
    try {
      for await (const octets of behind(front, withLf(load.content()))) await file.write(octets)
      await file.sync()
    } finally {
      await file.close()
    }
    await files.rename(before, `${path}/new/${name}`)
  } catch (error) {
    await files.remove(before).catch(() => {})
    throw error
  }
  await files.syncFolder(`${path}/new`)
}

/** `ID.HASH.HOST`: unique by the message, the recipient and the host; no `/` or `:` in it. */
function nameOf(id: string, recipient: string, hostname: string): string {
  const hash = createHash('sha256').update(recipient).digest('hex').slice(0, 16)
  return `${id}.${hash}.${hostname.replace(/[^\w.-]/g, '_')}`
}
