/** Cells of reading: messages a second that sessions take, by IMAP and POP3, from Postrider and Dovecot. */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from '../generator/generate.ts'
import type { ReadJob } from '../generator/job.ts'
import { cpuSeconds } from '../proc.ts'
import { reason } from './contest.ts'
import type { Figure } from './figure.ts'
import type { Pace } from './rates.ts'
import { fill, type Readers, startReaders } from './readers.ts'

export interface ReadCell {
  readonly name: string
  readonly by: ReadJob['by']
  readonly sessions: number
  readonly kept: boolean
  readonly security?: 'tls'
  readonly points?: Figure['points']
  readonly quick?: boolean
}

const imap = { by: 'imap', kept: true } as const
const counts = 'IMAP: messages of 4 KB a second by sessions'
const sessions = (x: number) => ({ sessions: x, points: [{ chart: counts, x }] })
const login = { kept: false, sessions: 20 } as const

export const READ_CELLS: readonly ReadCell[] = [
  { ...imap, name: 'IMAP FETCH of 4 KB, 1 session', ...sessions(1) },
  { ...imap, name: 'IMAP FETCH of 4 KB, 20 sessions', ...sessions(20), quick: true },
  { ...imap, name: 'IMAP FETCH of 4 KB, 100 sessions', ...sessions(100) },
  { ...imap, name: 'IMAP FETCH of 4 KB, 1,000 sessions', ...sessions(1_000) },
  { ...imap, name: 'IMAP FETCH of 4 KB, 20 sessions over TLS', sessions: 20, security: 'tls' },
  { ...login, by: 'imap', name: 'IMAP login, SELECT, FETCH, 20 at once', quick: true },
  { ...login, by: 'imap', name: 'IMAP the same over TLS', security: 'tls' },
  { by: 'pop3', kept: true, sessions: 20, name: 'POP3 RETR of 4 KB, 20 sessions', quick: true },
  { ...login, by: 'pop3', name: 'POP3 login, STAT, RETR, 20 at once' },
]

type ReadFigure = Pick<Figure, 'values' | 'cpu' | 'failed'>

/** In each mailbox. */
const MESSAGES = 100
/** Of a run, with its logins. */
const LIMIT = 120_000

/** All of them on the same two servers; each is given to `found` as it is there. */
export async function reading(
  root: string,
  cells: readonly ReadCell[],
  pace: Pace,
  found: (cell: ReadCell, figure: ReadFigure) => void,
): Promise<void> {
  const folder = mkdtempSync(join(root, 'reading-'))
  try {
    const { peers, stop } = await startReaders(folder)
    try {
      for (const peer of peers) await fill(peer, MESSAGES, 4_096)
      for (const cell of cells) found(cell, await inTurn(cell, peers, pace))
    } finally {
      await stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}

async function inTurn(
  cell: ReadCell,
  peers: readonly Readers[],
  { rounds, warmS, runS }: Pace,
): Promise<ReadFigure> {
  const values: Record<string, number[]> = {}
  const cpu: Record<string, number[]> = {}
  const failed: Record<string, string> = {}
  // The first round warms up.
  for (let round = -1; round < rounds; round++) {
    for (const peer of peers) {
      const { name } = peer
      if (name in failed) continue
      try {
        const before = cpuSeconds(peer.pid)
        const { count, seconds } = await generate(
          jobOf(cell, peer, round < 0 ? warmS : runS),
          LIMIT,
        )
        if (round < 0) continue
        values[name] = [...(values[name] ?? []), count / seconds]
        // Of sessions that stay it would be that of their logins.
        if (cell.kept) continue
        const used = ((cpuSeconds(peer.pid) - before) * 1000) / count
        cpu[name] = [...(cpu[name] ?? []), used]
      } catch (error) {
        failed[name] = reason(error)
      }
    }
  }
  return { values, failed, ...(cell.kept ? {} : { cpu }) }
}

function jobOf(cell: ReadCell, { ports, users }: Readers, seconds: number): ReadJob {
  const { by, sessions, kept, security = 'clear' } = cell
  const port = security === 'tls' ? (ports.imaps ?? 0) : ports[by]
  const durationMs = seconds * 1000
  return { do: 'read', by, port, users, sessions, kept, security, messages: MESSAGES, durationMs }
}
