/**
 * The table: every peer that can be had, in each cell that it knows. Gives figures one by one as they are there, with
 * how long each cell took. Only figures: what is to be reached stands in plan.ts.
 */
import type { Contestant } from '../contestants.ts'
import { reason } from './contest.ts'
import type { Figure, Group } from './figure.ts'
import { type Growth, mailboxGrowth, queueGrowth, type Steps } from './growth.ts'
import { idleImap, idleSmtp } from './idle.ts'
import { latency } from './latency.ts'
import { type Pace, RATE_CELLS, rates } from './rates.ts'
import { READ_CELLS, type ReadCell, reading } from './reading.ts'

/** How thoroughly. */
export interface TableDepth extends Pace {
  readonly quick: boolean
  /** Messages a second at which latency is taken, and for how long. */
  readonly paces: readonly number[]
  readonly paceS: number
  readonly hotMessages: number
  readonly idle: number
  readonly queue: Steps
  readonly mailbox: Steps
}

const [K, TENK, HUNDREDK, M] = [1_000, 10_000, 100_000, 1_000_000]

export const TABLE_FULL: TableDepth = {
  ...{ quick: false, rounds: 3, warmS: 1, hotS: 4, runS: 1.5 },
  ...{ paces: [100, 500, 2_000], paceS: 8, hotMessages: 10_000, idle: 500 },
  queue: { Postrider: [K, TENK, HUNDREDK], Postfix: [K, TENK] },
  mailbox: { Postrider: [K, TENK, HUNDREDK], Dovecot: [K, TENK] },
}

export const TABLE_QUICK: TableDepth = {
  ...{ quick: true, rounds: 1, warmS: 0.4, hotS: 0.4, runS: 0.7 },
  ...{ paces: [500], paceS: 3, hotMessages: 0, idle: 100 },
  queue: { Postrider: [K, TENK], Postfix: [K] },
  mailbox: { Postrider: [K, TENK], Dovecot: [K] },
}

/** With `--deep`: takes as long as a million messages take. */
export const TABLE_DEEP: TableDepth = {
  ...TABLE_FULL,
  queue: { Postrider: [K, TENK, HUNDREDK, M], Postfix: [K, TENK, HUNDREDK] },
  mailbox: { Postrider: [K, TENK, HUNDREDK, M], Dovecot: [K, TENK, HUNDREDK] },
}

/** What is said of a cell before it has a command. */
type Cell = Omit<Figure, 'seconds' | 'command'>
type Found = (figures: readonly Omit<Figure, 'command'>[]) => void

export async function table(
  root: string,
  contestants: () => Promise<readonly Contestant[]>,
  depth: TableDepth,
  wanted: (name: string) => boolean,
  found: Found,
): Promise<void> {
  const named = (group: Group, name: string) => wanted(`table ${group} ${name}`)
  const timed = async (group: Group, name: string, make: () => Promise<readonly Cell[]>) => {
    if (!named(group, name)) return
    const from = performance.now()
    // What goes wrong in one cell must not cost the others.
    const cells = await make().catch(error => [broken(group, name, error)])
    const seconds = Math.round((performance.now() - from) / 1000)
    found(cells.map(cell => ({ ...cell, seconds })))
  }
  for (const cell of RATE_CELLS) {
    if (depth.quick && !cell.quick) continue
    const { group, name, points = [] } = cell
    await timed(group, name, async () => [
      {
        ...MORE,
        group,
        cell: name,
        points,
        ...(await rates(root, cell, await contestants(), depth)),
      },
    ])
  }
  const reads = READ_CELLS.filter(
    ({ name, quick }) => named('read', name) && (quick || !depth.quick),
  )
  if (reads.length > 0) await readCells(root, reads, depth, found)
  for (const rate of depth.paces) {
    const { paceS: seconds, warmS, hotMessages } = depth
    await timed('latency', `${rate} a second`, async () =>
      latency(root, await contestants(), { rate, seconds, warmS, hotMessages }),
    )
  }
  const kb = { group: 'idle', unit: 'KB', better: 'less' } as const
  await timed('idle', 'SMTP', async () => {
    const cell = 'an SMTP session after EHLO'
    return [{ ...kb, cell, ...(await idleSmtp(root, await contestants(), depth.idle)) }]
  })
  await timed('idle', 'IMAP', async () => {
    const cell = 'an IMAP session in IDLE'
    return [{ ...kb, cell, ...(await idleImap(root, depth.idle)) }]
  })
  await timed('growth', 'queue', async () =>
    grownCells(
      'queue',
      'accepted a second',
      await queueGrowth(root, await contestants(), depth.queue),
    ),
  )
  await timed('growth', 'mailbox', async () =>
    grownCells('mailbox', 'delivered a second', await mailboxGrowth(root, depth.mailbox)),
  )
}

const MORE = { unit: 'messages a second', better: 'more' } as const

/** On the same two servers, which stand until all have been. */
async function readCells(
  root: string,
  cells: readonly ReadCell[],
  depth: TableDepth,
  found: Found,
): Promise<void> {
  let from = performance.now()
  try {
    await reading(root, cells, depth, ({ name, points = [] }, figure) => {
      const seconds = Math.round((performance.now() - from) / 1000)
      found([{ ...MORE, group: 'read', cell: name, points, ...figure, seconds }])
      from = performance.now()
    })
  } catch (error) {
    found([{ ...broken('read', 'all that is left', error), seconds: 0 }])
  }
}

function broken(group: Group, cell: string, error: unknown): Cell {
  return { ...MORE, group, cell, values: {}, failed: { 'the bench': reason(error) } }
}

function grownCells(what: string, rate: string, { grown, failed }: Growth): Cell[] {
  const kinds = {
    rate: { name: rate, unit: 'messages a second', better: 'more' },
    mb: { name: 'memory', unit: 'MB', better: 'less' },
    openMs: { name: 'opened, with all flags', unit: 'ms', better: 'less' },
  } as const
  return Object.entries(kinds).flatMap(([kind, { name, unit, better }]) =>
    [...grown].flatMap(([step, of]) => {
      const values = of[kind]
      if (values === undefined) return []
      const cell = `${what} of ${step.toLocaleString('en-US')}: ${name}`
      const points = [{ chart: `${what}: ${name}, ${unit}`, x: step }]
      return [{ group: 'growth', cell, unit, better, values, failed, points } as const]
    }),
  )
}
