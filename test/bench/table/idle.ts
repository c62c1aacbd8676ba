/** What a connection that says nothing holds: the memory of the whole tree of processes, shared pages by their share. */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Contestant } from '../contestants.ts'
import { LineClient } from '../line-client.ts'
import { startPostfix } from '../peer/postfix.ts'
import { familyPssMb } from '../proc.ts'
import { contest, reason } from './contest.ts'
import type { Figure } from './figure.ts'
import { type Readers, startReaders } from './readers.ts'

/** Who listens with a short line of waiting (OpenSMTPD: five) would make others wait for a second and more. */
const AT_ONCE = 4
/** A few stand already when counting begins, so that what is loaded with the first is not counted. */
const FIRST = 25
/** Who has not taken all by then has taken too few. */
const LIMIT_MS = 60_000

type Idle = Pick<Figure, 'values' | 'failed'>

/** KB for each connection that has said EHLO. */
export function idleSmtp(root: string, field: readonly Contestant[], count: number): Promise<Idle> {
  const able = field.filter(({ ways }) => ways.includes('smtp')).map(manyProcesses)
  const values: Record<string, number[]> = {}
  return contest(root, 'deliver', able, async ({ peers, with: withPeer }) => {
    for (const name of [...peers.keys()]) {
      await withPeer(name, async peer => {
        const open = () => greeted(peer.port)
        values[name] = [await kbEach(peer.pid, count, open)]
      })
    }
  }).then(failed => ({ values, failed }))
}

/** KB for each session in IDLE. */
export async function idleImap(root: string, count: number): Promise<Idle> {
  const folder = mkdtempSync(join(root, 'idle-'))
  const values: Record<string, number[]> = {}
  const failed: Record<string, string> = {}
  try {
    const { peers, stop } = await startReaders(folder)
    try {
      for (const { name, pid, ports, users } of peers) {
        let next = 0
        const open = () => idle(ports.imap, users[next++ % users.length])
        await kbEach(pid, count, open).then(
          kb => (values[name] = [kb]),
          error => (failed[name] = reason(error)),
        )
      }
    } finally {
      await stop()
    }
    return { values, failed }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}

/** Postfix serves a hundred at once by default, a process each. */
function manyProcesses(one: Contestant): Contestant {
  if (one.name !== 'Postfix') return one
  const start: Contestant['start'] = ({ folder, sink }) =>
    startPostfix(folder, sink, ['default_process_limit = 2000'])
  return { ...one, start }
}

async function greeted(port: number): Promise<LineClient> {
  const client = await LineClient.open(port, /^220 /)
  await client.say('EHLO idle.test\r\n', /^250 /)
  return client
}

async function idle(port: number, user: Readers['users'][number] | undefined) {
  const client = await LineClient.open(port, /^\* OK/)
  await client.say(`a LOGIN "${user?.username}" "${user?.password}"\r\n`, /^a OK/)
  await client.say('a SELECT INBOX\r\n', /^a OK/)
  await client.say('i IDLE\r\n', /^\+ /)
  return client
}

async function kbEach(
  pid: number,
  count: number,
  open: () => Promise<LineClient>,
): Promise<number> {
  const clients: LineClient[] = []
  const end = performance.now() + LIMIT_MS
  const upTo = async (most: number): Promise<number> => {
    while (clients.length < most && performance.now() < end) {
      const some = Math.min(AT_ONCE, most - clients.length)
      clients.push(...(await within(end, Promise.all(Array.from({ length: some }, open)))))
    }
    await sleep(2_000)
    return familyPssMb(pid)
  }
  try {
    const before = await upTo(FIRST)
    const after = await upTo(FIRST + count)
    const held = Math.max(0, clients.length - FIRST)
    if (held < count) throw new Error(`held ${held} of ${count} after ${LIMIT_MS / 1000} s`)
    return ((after - before) * 1000) / held
  } finally {
    for (const client of clients) client.close()
  }
}

/** Empty where it is not there in time; what comes later is left to the end of its peer. */
async function within(end: number, coming: Promise<LineClient[]>): Promise<LineClient[]> {
  coming.catch(() => {})
  const left = Math.max(0, end - performance.now())
  const late = sleep(left, [] as LineClient[], { ref: false })
  return Promise.race([coming, late])
}
