/** One cell of rates: every peer afresh, warmed up, then in turn as often as asked. */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Measured, measure } from '../measure.ts'
import { startBare } from '../peer/bare.ts'
import type { Peer } from '../peer/peer.ts'
import { startPostfix } from '../peer/postfix.ts'
import { dataFolder, startPostrider } from '../peer/postrider.ts'
import { startSink } from '../peer/sink.ts'
import type { Cell, Depth } from '../plan.ts'
import { memoryOf } from '../proc.ts'

export type PeerName = 'ours' | 'postfix' | 'bare'

export interface Rates {
  readonly cell: Cell
  readonly runs: Readonly<Record<PeerName, readonly Measured[]>>
  /** RSS of Postrider behind the last run, and at its peak, in MB. */
  readonly rssMb: number
  readonly peakMb: number
}

export async function rateCell(
  cell: Cell,
  depth: Depth,
  root: string,
  withPostfix: boolean,
): Promise<Rates> {
  const folder = mkdtempSync(join(root, 'cell-'))
  const stops: (() => Promise<void>)[] = []
  const started = <Item extends { stop(): Promise<void> }>(item: Item): Item => {
    stops.unshift(item.stop)
    return item
  }
  try {
    const sink = started(await startSink(folder, 'ours'))
    const peers = new Map<PeerName, Peer>()
    const data = dataFolder(folder, 'ours')
    peers.set('ours', started(await startPostrider(data, sink.port)))
    if (withPostfix) {
      const other = started(await startSink(folder, 'postfix'))
      peers.set('postfix', started(await startPostfix(folder, other)))
    }
    if (cell.messages.bare > 0) peers.set('bare', started(await startBare(folder)))
    const runs = await inTurn(cell, depth, peers)
    const { rssMb, peakMb } = memoryOf(peers.get('ours')?.pid ?? 0)
    return { cell, runs, rssMb, peakMb }
  } finally {
    for (const stop of stops) await stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function inTurn(
  cell: Cell,
  depth: Depth,
  peers: ReadonlyMap<PeerName, Peer>,
): Promise<Rates['runs']> {
  const runs: Record<PeerName, Measured[]> = { ours: [], postfix: [], bare: [] }
  const loadOf = (name: PeerName, share: number) => ({
    ...cell.load,
    messages: Math.max(20, Math.round(cell.messages[name] * share)),
  })
  for (const [name, peer] of peers) await measure(peer, cell.work, loadOf(name, depth.share / 4))
  for (let pair = 0; pair < depth.pairs; pair++) {
    for (const [name, peer] of peers) {
      runs[name].push(await measure(peer, cell.work, loadOf(name, depth.share)))
    }
  }
  return runs
}
