/**
 * Turns what a transport says into what the queue stores: final states, next attempts, and the
 * notices the sender is owed (RFC 3461 §5, §6). One settlement is one transaction: an outcome and
 * its notice are both there or neither is.
 */
import { parseCarriedSender } from '../mail/carried.ts'
import type { Outcome } from '../mail/outcome.ts'
import { RELAYED_STATUS, TRANSFERRED_STATUS } from '../mail/tracking.ts'
import { mailTopic } from '../mailbox/topic.ts'
import { type DoubtPolicy, isInDoubt, lastWord, stepInDoubt, withDoubt } from '../queue/doubt.ts'
import type { NoticeFact, Notices, RestingNotice } from '../queue/notice.ts'
import type { QueuedMessage } from '../queue/reader.ts'
import {
  agesFrom,
  type Deferral,
  defer,
  endsAt,
  type Lifetime,
  type Schedule,
  wordAt,
} from '../queue/schedule.ts'
import type { Settled, Settlement } from '../queue/settlement.ts'
import { settle } from '../queue/writer.ts'
import type { Route } from '../route/route.ts'
import { type Store, StoreError } from '../store/store.ts'
import type { World } from '../world/world.ts'
import { Gathering } from './gathering.ts'
import type { Job, JobRow } from './job.ts'
import { factOf, hears, relayTold, wants } from './notice-due.ts'
import { attemptOf, remoteOf } from './outcome-record.ts'
import { Together, type Told } from './together.ts'
import type { Carried } from './transport.ts'
import { Turns } from './turns.ts'

/** What one recipient of a load came to, and what its sender is told of it. */
interface Entry {
  readonly job: Job
  readonly row: JobRow
  readonly result: Settled
  readonly fact: NoticeFact | undefined
  /** Somebody has the mail. */
  readonly taken: boolean
}

interface Stored {
  readonly held: boolean
  readonly dueAt?: number | undefined
}

export interface SettlerOptions {
  readonly world: World
  readonly store: Store
  readonly node: string
  /** Of a recipient; `way` names the configured hops it goes by, where that is known. */
  readonly schedule: (address: string, way?: string) => Schedule
  readonly doubt: () => DoubtPolicy
  readonly notices: Notices
  /** How many loads of a message are under way here. */
  readonly inHand: (messageId: string) => number
  /** How long a failure waits for others of its message at most. */
  readonly gatherMs: () => number
  /** Tells what became of a recipient, for the log and the counters. */
  readonly settled: (job: Job, row: JobRow, result: Settled) => void
}

export class Settler {
  readonly #options: SettlerOptions

  readonly #gathering: Gathering<Entry>
  readonly #together: Together
  /** Who tells of one message takes a turn: the next finds what rests, and tells of both. */
  readonly #turns = new Turns()
  /** Loads of which a part is stored already. */
  readonly #begun = new WeakSet<Job>()

  constructor(options: SettlerOptions) {
    this.#options = options
    const { notices, gatherMs, world } = options
    this.#together = new Together({ clock: world.clock, notices, restMs: gatherMs })
    this.#gathering = new Gathering({
      clock: options.world.clock,
      waitMs: options.gatherMs,
      inHand: options.inHand,
      store: async entries => (await this.#store(entries)).dueAt,
    })
  }

  /** Stores the outcomes; resolves with the time of the next attempt, if one is due. */
  async settle(job: Job, carried: Carried): Promise<number | undefined> {
    const entries = this.#entriesOf(job, carried)
    const told = entries.filter(({ fact, taken }) => fact !== undefined && !taken)
    if (told.length === 0 || !this.#gathering.waits(job)) {
      try {
        return (await this.#store(entries)).dueAt
      } finally {
        this.#gathering.passed(job)
      }
    }
    const rest = entries.filter(entry => !told.includes(entry))
    // Where the store fails half-way, what it has stored is not stored again.
    if (rest.length > 0 && !this.#begun.has(job)) await this.#store(rest)
    this.#begun.add(job)
    return this.#gathering.gather(job, told)
  }

  /**
   * Ends what waits or is held as the operator wants it, with the notices that are owed; false where some of it
   * does not wait any more.
   */
  async end(job: Job, outcome: Outcome & { readonly kind: 'failed' }): Promise<boolean> {
    const outcomes = job.rows.map(() => outcome)
    const entries = this.#entriesOf(job, { outcomes }).map(({ result, ...entry }): Entry => {
      const { attempt: _none, ...ended } = result
      return { ...entry, result: { ...ended, untried: true } }
    })
    try {
      return (await this.#store(entries, true)).held
    } catch (error) {
      // The writer refuses what waits only in part any more.
      if (error instanceof StoreError) throw error
      return false
    }
  }

  /** Nothing waits for others any more: the node is to stop. */
  hurry(): void {
    this.#gathering.hurry()
  }

  #entriesOf(job: Job, carried: Carried): Entry[] {
    const now = this.#options.world.clock.now()
    return job.rows.map((row, i) => {
      const outcome = carried.outcomes[i] ?? MISSING
      const { result, fact } = this.#judge(job, row, outcome, now)
      const delivery = carried.deliveries?.[i]
      const attempt = attemptOf(outcome, carried.dialogue)
      const whole = { ...result, ...(delivery && { delivery }), ...(attempt && { attempt }) }
      return { job, row, result: whole, fact, taken: outcome.kind === 'delivered' }
    })
  }

  /** How long a word of what went well waits for others of its message at most. */
  get restMs(): number {
    return this.#options.gatherMs()
  }

  /** A notice was stored with its message, and waits for what else there is to tell of it. */
  rests(messageId: string, notice: RestingNotice): void {
    this.#together.rest(messageId, notice)
  }

  #store(entries: readonly Entry[], waiting?: true): Promise<Stored> {
    const { message } = (entries[0] as Entry).job
    const tells = entries.some(({ fact }) => fact !== undefined)
    const meets = tells || this.#together.rests(message.id) || this.#turns.has(message.id)
    if (!meets) return this.#storeNow(entries, waiting)
    return this.#turns.take(message.id, () => this.#storeNow(entries, waiting))
  }

  /** One transaction for outcomes of one message, and one notice. */
  async #storeNow(entries: readonly Entry[], waiting?: true): Promise<Stored> {
    const { store, world, node } = this.#options
    const now = world.clock.now()
    const { job } = entries[0] as Entry
    const { message } = job
    const facts = entries.flatMap(({ fact }) => fact ?? [])
    const told = facts.length === 0 ? undefined : await this.#tell(entries, facts)
    const over = !told && this.#together.rests(message.id) && !this.#others(entries)
    const letGo = over ? this.#together.over(message.id) : undefined
    const results = entries.map(({ result }) => result)
    const settlement: Settlement = {
      messageId: message.id,
      bodyKey: message.body_id,
      node,
      at: now,
      results,
      notices: told ? [told.notice] : [],
      ...(told?.withdraw && { withdraw: told.withdraw }),
      ...(letGo !== undefined && { letGo }),
      ...(waiting && { waiting }),
    }
    const done = await store.write(settle, settlement)
    if (!done.held) {
      world.log.warn('queue.leaseLost', { message: message.id })
      return { held: false }
    }
    told?.stored()
    for (const name of done.released) {
      world.disk.remove(name).catch((error: unknown) => {
        world.log.warn('body.remove', { name, error: String(error) })
      })
    }
    for (const { job, row, result } of entries) {
      if (result.delivery) store.wake(mailTopic(result.delivery.accountId))
      this.#options.settled(job, row, result)
    }
    return { held: true, dueAt: soonest(results, letGo === undefined ? told?.dueAt : now) }
  }

  /** In how many ms a recipient that waits untried must be looked at: its sender is told, or it ends. */
  wordIn(address: string, life: Lifetime, warnedAt: number | null): number {
    const now = this.#options.world.clock.now()
    return wordAt(this.#options.schedule(address), life, warnedAt, now) - now
  }

  /** The state an outcome leads to, and the notice the sender is owed for it. */
  #judge(
    job: Job,
    row: JobRow,
    given: Outcome,
    now: number,
  ): { result: Settled; fact?: NoticeFact } {
    const outcome = withDoubt(given, row.doubts ?? 0)
    const base = {
      n: row.n,
      status: outcome.status,
      reason: outcome.reason,
      remote: remoteOf(outcome),
      ...(isInDoubt(outcome) && { doubt: true as const }),
    }
    switch (outcome.kind) {
      case 'delivered': {
        const mailbox = outcome.how === 'mailbox'
        const state = mailbox ? ('delivered' as const) : ('relayed' as const)
        const result = { ...base, state, status: statusOf(job, outcome) }
        // A next hop that does DSN has taken the request over (RFC 3461 §5.2.2).
        const asked = wants(row, 'SUCCESS') && !(outcome.dsn === true && !mailbox)
        const owed = asked || (!mailbox && relayTold(job, row, outcome, now))
        return owed ? { result, fact: factOf(row, outcome, state, now) } : { result }
      }
      case 'failed': {
        const result = {
          ...base,
          state: outcome.expired ? ('expired' as const) : ('failed' as const),
        }
        return hears(job, row) ? { result, fact: factOf(row, outcome, 'failed', now) } : { result }
      }
      case 'held':
        return { result: { ...base, state: 'held', untried: true } }
      case 'discarded':
        return { result: { ...base, state: 'deleted', untried: true } }
      case 'deferred':
        return this.#deferred(job, row, outcome, now, base)
    }
  }

  #deferred(
    job: Job,
    row: JobRow,
    outcome: Outcome,
    now: number,
    base: Omit<Settled, 'state'>,
  ): { result: Settled; fact?: NoticeFact } {
    const schedule = this.#options.schedule(row.address, wayOf(job.route))
    const { sender } = job.load.envelope
    const life = lifetimeOf(job.message)
    const { attempts, warnedAt } = row
    const next: Deferral = defer(schedule, {
      ...life,
      now,
      attempts: attempts + 1,
      warnedAt,
      phase: phaseOf(job.message.id),
    })
    if (next.expired) {
      // RFC 3463 §3.5: X.4.7, delivery time expired; the last reason is what people need to read.
      const ended = { ...outcome, status: '5.4.7', reason: lastWord(outcome, row.doubts) }
      const result = { ...base, state: 'expired' as const, status: '5.4.7', reason: ended.reason }
      if (!hears(job, row)) return { result }
      return { result, fact: factOf(row, ended, 'failed', now) }
    }
    const doubted = isInDoubt(outcome) ? this.#doubted(job, row, { outcome, now, base }) : undefined
    if (doubted) return doubted
    // What is kept is not late: nobody has asked for it yet. It falls due at a time of its own only.
    const kept = outcome.kind === 'deferred' && outcome.kept === true
    const times = [endsAt(schedule.expireMs, life), sender.deliverBy?.atMs ?? 0]
    const due = isInDoubt(outcome)
      ? Math.max(next.dueAt, now + this.#options.doubt().waitMs)
      : next.dueAt
    const dueAt = kept ? Math.min(...times.filter(time => time > now)) : due
    const untried = kept || (outcome.kind === 'deferred' && outcome.untried === true)
    const queued = { ...base, state: 'queued' as const, dueAt, ...(untried && { untried }) }
    if (!next.warn || (kept && next.warn === 'delay')) return { result: queued }
    const result = { ...queued, warned: true }
    if (!wants(row, 'DELAY')) return { result }
    const retryUntil = endsAt(schedule.expireMs, life)
    // RFC 2852 §4.1.3: that the time has come has a status of its own.
    const told = next.warn === 'time' ? { ...outcome, status: '4.4.7' } : outcome
    return { result, fact: { ...factOf(row, told, 'delayed', now), retryUntil } }
  }

  /** In doubt too often: held, or given up, where the operator wants it so. */
  #doubted(
    job: Job,
    row: JobRow,
    about: {
      readonly outcome: Outcome
      readonly now: number
      readonly base: Omit<Settled, 'state'>
    },
  ): { result: Settled; fact?: NoticeFact } | undefined {
    const { outcome, now, base } = about
    switch (stepInDoubt(this.#options.doubt(), outcome, (row.doubts ?? 0) + 1)) {
      case 'retry':
        return undefined
      case 'hold':
        return { result: { ...base, state: 'held' } }
      case 'bounce': {
        const failed = { ...outcome, status: '5.4.2', reason: lastWord(outcome) }
        const { status, reason } = failed
        const result = { ...base, status, reason, state: 'failed' as const }
        return hears(job, row) ? { result, fact: factOf(row, failed, 'failed', now) } : { result }
      }
    }
  }

  /** A notice that cannot be made must not keep the outcome from being stored. */
  async #tell(entries: readonly Entry[], facts: readonly NoticeFact[]): Promise<Told | undefined> {
    const { job } = entries[0] as Entry
    try {
      return await this.#together.tell(job, facts, this.#others(entries))
    } catch (error) {
      const facts = { message: job.message.id, error: String(error) }
      this.#options.world.log.error('notice.failed', facts)
      return undefined
    }
  }

  /** Whether other loads of the message are under way. */
  #others(entries: readonly Entry[]): boolean {
    const { message } = (entries[0] as Entry).job
    return this.#options.inHand(message.id) > new Set(entries.map(({ job }) => job)).size
  }
}

/** Where among all messages one stands: its own for ever, the same on every node, and known by nobody before. */
function phaseOf(messageId: string): number {
  return (Number.parseInt(messageId.slice(-4), 32) || 0) / 32 ** 4
}

/** From when a message ages, and when its sender wants it there. */
export function lifetimeOf(message: QueuedMessage): Lifetime {
  const held = parseCarriedSender(message.parameters)
  return { receivedAt: agesFrom(message.received_at, held), deliverBy: held.deliverBy }
}

/** The names of the configured hops a route is made of. */
function wayOf(route: Route): string | undefined {
  return 'name' in route ? route.name : undefined
}

const MISSING: Outcome = {
  kind: 'deferred',
  status: '4.3.0',
  reason: 'the transport gave no outcome',
}

/** RFC 3886 §4: where a message is tracked, whether the next hop tracks it is what its sender asks. */
function statusOf(job: Job, outcome: Outcome & { readonly kind: 'delivered' }): string {
  if (outcome.how === 'mailbox' || job.load.envelope.sender.tracking === undefined) {
    return outcome.status
  }
  return outcome.tracked === true ? TRANSFERRED_STATUS : RELAYED_STATUS
}

/** When the worker should look again because of this settlement. */
function soonest(results: readonly Settled[], notice: number | undefined): number | undefined {
  let due = notice
  for (const result of results) {
    if (result.dueAt !== undefined && (due === undefined || result.dueAt < due)) due = result.dueAt
  }
  return due
}
