/**
 * Relaying with many other messages deferred, beside relaying with none: two servers under the same load in turn.
 * Destinations are domains of a name server of the bench; their hosts are loopback addresses: one that takes all,
 * one where nobody listens, and one that tells everybody to come back.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BUSY_DOMAIN, DEAD_DOMAIN, fillDeferred } from '../fill.ts'
import type { Load } from '../load.ts'
import { measure } from '../measure.ts'
import { startNames } from '../peer/names.ts'
import { dataFolder, type Postrider, startPostrider } from '../peer/postrider.ts'
import { startSink } from '../peer/sink.ts'
import { memoryOf } from '../proc.ts'

const [TAKES, NOBODY, BUSY] = ['127.0.1.1', '127.0.1.2', '127.0.1.3']

export interface DeferredRates {
  /** Messages a second, pair by pair. */
  readonly alone: readonly number[]
  readonly behind: readonly number[]
  /** Of the server that has them. */
  readonly peakMb: number
  readonly readyMs: number
}

export async function deferredCell(
  root: string,
  load: Load,
  deferred: number,
  pairs: number,
): Promise<DeferredRates> {
  const folder = mkdtempSync(join(root, 'deferred-'))
  const stops: (() => Promise<void>)[] = []
  const started = <Item extends { stop(): Promise<void> }>(item: Item): Item => {
    stops.unshift(item.stop)
    return item
  }
  try {
    const sink = started(await startSink(folder, 'takes', { address: TAKES }))
    const { port } = sink
    started(await startSink(folder, 'busy', { address: BUSY, port, refuses: 'RCPT' }))
    const names = started(
      await startNames(domain =>
        domain.endsWith(`.${DEAD_DOMAIN}`)
          ? NOBODY
          : domain.endsWith(`.${BUSY_DOMAIN}`)
            ? BUSY
            : TAKES,
      ),
    )
    const set = [`dns.servers=127.0.0.1:${names.port}`, `outbound.port=${port}`]
    const serve = (name: string) => startPostrider(dataFolder(folder, name), undefined, set)
    const alone = started(await serve('alone'))
    await (await serve('behind')).stop()
    fillDeferred(dataFolder(folder, 'behind'), deferred)
    const behind = started(await serve('behind'))
    const rate = async (server: Postrider, messages = load.messages) =>
      (await measure(server, 'relay', { ...load, messages })).rate
    const rates = { alone: [] as number[], behind: [] as number[] }
    for (const server of [alone, behind]) await rate(server, Math.ceil(load.messages / 2))
    for (let pair = 0; pair < pairs; pair++) {
      rates.alone.push(await rate(alone))
      rates.behind.push(await rate(behind))
    }
    return { ...rates, peakMb: memoryOf(behind.pid).peakMb, readyMs: behind.readyMs }
  } finally {
    for (const stop of stops) await stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
