/**
 * What becomes of rate and memory as a queue and a mailbox grow tenfold, and tenfold again. All steps of a peer are in one
 * server; what lies between two steps is filled in by the same load.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Contestant } from '../contestants.ts'
import { LineClient } from '../line-client.ts'
import { type Load, send } from '../load.ts'
import { measure } from '../measure.ts'
import type { Peer } from '../peer/peer.ts'
import { familyPssMb } from '../proc.ts'
import { contest, reason } from './contest.ts'
import type { Values } from './figure.ts'
import { type Readers, startReaders } from './readers.ts'

/** The most of each peer. */
export type Steps = Readonly<Record<string, readonly number[]>>

export interface Growth {
  /** By step. */
  readonly grown: ReadonlyMap<number, { readonly [what: string]: Values }>
  readonly failed: Readonly<Record<string, string>>
}

type MailboxGrown = Map<number, Record<'rate' | 'mb' | 'openMs', Record<string, number[]>>>

const LOAD: Omit<Load, 'messages'> = { sizeOctets: 1024, sessions: 20, kept: true }
/** Of the run that is measured at a step: this share of what is there. */
const SHARE = 0.5
const MOST_MEASURED = 4_000
const FILL_LIMIT_MS = 1_200_000

/** Messages that are kept: how fast more come in, and what the server holds. */
export async function queueGrowth(
  root: string,
  field: readonly Contestant[],
  steps: Steps,
): Promise<Growth> {
  const grown = new Map<number, { rate: Record<string, number[]>; mb: Record<string, number[]> }>()
  const able = field.filter(({ name }) => name in steps)
  const failed = await contest(root, 'accept', able, async ({ peers, with: withPeer }) => {
    for (const name of [...peers.keys()]) {
      await withPeer(name, async peer => {
        let there = 0
        for (const step of steps[name] ?? []) {
          there += await fillUp(peer.port, peer.remote, step - there)
          const messages = Math.min(MOST_MEASURED, Math.round(step * SHARE))
          const { rate } = await measure(peer, 'accept', { ...LOAD, messages })
          there += messages
          const at = grown.get(step) ?? { rate: {}, mb: {} }
          at.rate[name] = [rate]
          at.mb[name] = [familyPssMb(peer.pid)]
          grown.set(step, at)
        }
      })
    }
  })
  return { grown, failed }
}

/** One mailbox: how fast LMTP delivers into it, what the server holds, how long a session takes to open it and see all flags. */
export async function mailboxGrowth(root: string, steps: Steps): Promise<Growth> {
  const grown: MailboxGrown = new Map()
  const failed: Record<string, string> = {}
  const folder = mkdtempSync(join(root, 'growth-'))
  try {
    const { peers, stop } = await startReaders(folder)
    try {
      for (const peer of peers) {
        await growMailbox(peer, steps[peer.name] ?? [], grown).catch(error => {
          failed[peer.name] = reason(error)
        })
      }
    } finally {
      await stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
  return { grown, failed }
}

async function growMailbox(
  peer: Readers,
  steps: readonly number[],
  grown: MailboxGrown,
): Promise<void> {
  let there = 0
  for (const step of steps) {
    there += await fillUp(peer.ports.lmtp, peer.users[0]?.username ?? '', step - there, true)
    const messages = Math.min(MOST_MEASURED, Math.round(step * SHARE))
    const { rate } = await measure(asPeer(peer), 'deliver', { ...LOAD, messages }, LMTP)
    there += messages
    const at = grown.get(step) ?? { rate: {}, mb: {}, openMs: {} }
    at.rate[peer.name] = [rate]
    // The first has to find out what the others know.
    await opened(peer)
    at.openMs[peer.name] = [await opened(peer), await opened(peer), await opened(peer)]
    at.mb[peer.name] = [familyPssMb(peer.pid)]
    grown.set(step, at)
  }
}

const LMTP = {
  limitMs: 120_000,
  send: (load: Load, peer: Peer, to: string) => send({ ...load, lmtp: true }, peer.port, to),
}

function asPeer({ name, pid, ports, users, stop }: Readers): Peer {
  const local = users[0]?.username ?? ''
  const done = () => Number.POSITIVE_INFINITY
  return { name, pid, port: ports.lmtp, local, remote: local, done, stop }
}

async function fillUp(port: number, to: string, messages: number, lmtp = false): Promise<number> {
  if (messages <= 0) return 0
  await send({ ...LOAD, messages, lmtp }, port, to, FILL_LIMIT_MS)
  return messages
}

/** In ms, without the login. */
async function opened({ ports, users }: Readers): Promise<number> {
  const client = await LineClient.open(ports.imap, /^\* OK/)
  try {
    const ok = async (command: string) => {
      const line = await client.say(`a ${command}\r\n`, /^a /)
      if (!line.startsWith('a OK')) throw new Error(`${command.slice(0, 8)}: ${line}`)
    }
    await ok(`LOGIN "${users[0]?.username}" "${users[0]?.password}"`)
    const from = performance.now()
    await ok('SELECT INBOX')
    await ok('FETCH 1:* (FLAGS)')
    return performance.now() - from
  } finally {
    client.close()
  }
}
