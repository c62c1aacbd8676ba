/**
 * One notice for what was delivered or handed on, too: an outcome that somebody has the mail is stored at once, and
 * its notice with it, but the notice rests a few seconds where other loads of the message are under way. Who
 * settles meanwhile takes its place, in one transaction, with one that tells of both; where nothing more is to come
 * it is let go at once. Called by settler.ts.
 *
 * What an alias was expanded to rests likewise, from its acceptance on (queue/spool.ts).
 *
 * A crash finds a notice that falls due by itself, or the one that took its place: nothing is told twice, nothing
 * not at all. Only what is kept here is lost by it, so that more than one notice may go out.
 */
import type { Acceptance } from '../queue/acceptance.ts'
import { type NoticeFact, type Notices, type RestingNotice, resting } from '../queue/notice.ts'
import type { Withdrawal } from '../queue/settlement.ts'
import type { Clock } from '../world/clock.ts'
import type { Job } from './job.ts'

/** A notice with so many recipients is long enough: what comes later is told apart. */
const FACTS_MAX = 100
/** So near to its time a notice is left alone: it may be on its way. */
const MARGIN_MS = 1_000
/** Messages that are thought of at once. */
const MESSAGES_MAX = 5_000

/** What a settlement stores, and what becomes of it once that is durable. */
export interface Told {
  readonly notice: Acceptance
  /** The notice that it takes the place of. */
  readonly withdraw?: Withdrawal
  /** When it is to be looked at. */
  readonly dueAt: number
  /** To be called where it was stored. */
  stored(): void
}

export interface TogetherOptions {
  readonly clock: Clock
  readonly notices: Notices
  /** How long a word rests at most; 0 not at all. */
  readonly restMs: () => number
}

export class Together {
  readonly #options: TogetherOptions
  readonly #resting = new Map<string, RestingNotice>()

  constructor(options: TogetherOptions) {
    this.#options = options
  }

  /**
   * The notice of these facts, with what rests of the same message; undefined where there is nobody to tell.
   * @param others whether other loads of the message are under way
   */
  async tell(
    { message, load }: Job,
    facts: readonly NoticeFact[],
    others: boolean,
  ): Promise<Told | undefined> {
    const { notices, clock } = this.#options
    const before = this.#take(message.id)
    const all = before === undefined ? facts : [...before.facts, ...facts]
    const notice = await notices.compose(message, all, load.content)
    if (notice === undefined) return undefined
    const now = clock.now()
    const dueAt =
      others && mayRest(facts, all) ? (before?.dueAt ?? now + this.#options.restMs()) : now
    return {
      notice: dueAt > now ? resting(notice, dueAt - now) : notice,
      ...(before && { withdraw: before.notice }),
      dueAt,
      stored: () => {
        if (dueAt > now) this.rest(message.id, { notice, facts: all, dueAt })
      },
    }
  }

  rests(messageId: string): boolean {
    return this.#resting.has(messageId)
  }

  /** The notice that rests for a message of which nothing more is to come; nobody thinks of it from here on. */
  over(messageId: string): string | undefined {
    return this.#take(messageId)?.notice.id
  }

  /** It is somebody's alone from here on: where he fails to store it, it goes out by itself. */
  #take(messageId: string): RestingNotice | undefined {
    const found = this.#resting.get(messageId)
    this.#resting.delete(messageId)
    const safe = found !== undefined && found.dueAt - this.#options.clock.now() > MARGIN_MS
    return safe ? found : undefined
  }

  /** It is stored, and waits for more. */
  rest(messageId: string, { notice: { id, bodyKey }, facts, dueAt }: RestingNotice): void {
    this.#resting.delete(messageId)
    this.#resting.set(messageId, { notice: { id, bodyKey }, facts, dueAt })
    for (const [id, { dueAt }] of this.#resting) {
      if (this.#resting.size <= MESSAGES_MAX && dueAt > this.#options.clock.now()) break
      this.#resting.delete(id)
    }
  }
}

/** Bad news waits in gathering.ts, and no longer than that. */
function mayRest(facts: readonly NoticeFact[], all: readonly NoticeFact[]): boolean {
  const good = facts.every(({ action }) => action !== 'failed' && action !== 'delayed')
  return good && all.length < FACTS_MAX
}
