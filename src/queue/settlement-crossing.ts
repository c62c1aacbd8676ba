/**
 * How a settlement crosses to the committer's thread (store/store.ts, `Crossing`): one array of text and numbers, in
 * which each result has six places; what few have stands in objects beside them. Given to the writer `settle`. A
 * clone names every field of every object, and these are two for each message that is carried.
 */
import type { Crossing } from '../store/store.ts'
import { acceptanceCrossing } from './acceptance-crossing.ts'
import type { Settled, Settlement } from './settlement.ts'

type Ends = Pick<Settlement, 'withdraw' | 'letGo' | 'waiting'>

/** What few settlements have. */
type UnusualWhole = Ends & { readonly notices: readonly unknown[] }

/** What few results have: of who has the mail there is nothing more to say. */
type UnusualPart = Omit<Settled, 'n' | 'state' | 'status' | 'reason' | 'remote'>

export const settlementCrossing: Crossing<Settlement> = {
  pack,
  unpack: packed => unpack(packed as readonly unknown[]),
}

const RESULTS_FROM = 5
const RESULT_PLACES = 6

function pack(s: Settlement): readonly unknown[] {
  const unusual = s.notices.length > 0 || s.withdraw || s.letGo !== undefined || s.waiting
  const packed: unknown[] = [s.messageId, s.bodyKey, s.node, s.at, unusual ? unusualWhole(s) : null]
  for (const r of s.results) {
    packed.push(r.n, r.state, r.status, r.reason, r.remote, isPlain(r) ? null : unusualPart(r))
  }
  return packed
}

function unpack(p: readonly unknown[]): Settlement {
  const { notices = [], ...ends } = (p[4] ?? {}) as Partial<UnusualWhole>
  const results: Settled[] = []
  for (let at = RESULTS_FROM; at < p.length; at += RESULT_PLACES) {
    results.push({
      n: p[at] as number,
      state: p[at + 1] as Settled['state'],
      status: p[at + 2] as string,
      reason: p[at + 3] as string,
      remote: p[at + 4] as string | null,
      ...(p[at + 5] as UnusualPart | null),
    })
  }
  return {
    messageId: p[0] as string,
    bodyKey: p[1] as number,
    node: p[2] as string,
    at: p[3] as number,
    results,
    notices: notices.map(acceptanceCrossing.unpack),
    ...ends,
  }
}

function unusualWhole({ notices, withdraw, letGo, waiting }: Settlement): UnusualWhole {
  return {
    notices: notices.map(acceptanceCrossing.pack),
    ...(withdraw && { withdraw }),
    ...(letGo !== undefined && { letGo }),
    ...(waiting && { waiting }),
  }
}

function isPlain({ dueAt, warned, untried, doubt, delivery, attempt }: UnusualPart): boolean {
  return dueAt === undefined && !warned && !untried && !doubt && !delivery && !attempt
}

function unusualPart(r: UnusualPart): UnusualPart {
  const { dueAt, warned, untried, doubt, delivery, attempt } = r
  return {
    ...(dueAt !== undefined && { dueAt }),
    ...(warned && { warned }),
    ...(untried && { untried }),
    ...(doubt && { doubt }),
    ...(delivery && { delivery }),
    ...(attempt && { attempt }),
  }
}
