/**
 * Asks a config's functions, which live in a thread of their own, within a budget of time.
 *
 * Whatever a function does, a session gets an answer: over the budget the thread is ended (an
 * endless loop too), replaced by a fresh one, and the question is answered 451 4.3.0; a throw and
 * a nonsensical answer are 451 as well. Questions that merely waited behind the culprit are asked
 * again, once. Memory is bounded: over `WAITING_MAX` open questions the next is answered 451.
 */
import { defer, type Verdict } from '../mail/verdict.ts'
import type { Clock, Timer } from '../world/clock.ts'
import type { OpenThread, Thread, Told } from '../world/config-thread.ts'
import type { Log } from '../world/log.ts'
import { checkAnswer } from './answer.ts'
import type { HookAnswer, HookFacts, HookName } from './hook.ts'
import { LOAD_BUDGET_MS } from './load.ts'

const WAITING_MAX = 1000
/** A thread that cannot start is tried again with the first question after this time. */
const RESTART_PAUSE_MS = 1000

const FAILED = defer(451, '3.0', 'Local policy is not available, try again later')

/** A question that is open; `rest` is its timer while a thread is at it. */
interface Waiting {
  readonly id: number
  readonly name: HookName
  readonly facts: unknown
  readonly resolve: (answer: unknown) => void
  askedBefore: boolean
  timer: Timer | undefined
}

export interface HooksParts {
  readonly open: OpenThread
  readonly clock: Clock
  readonly log: Log
  readonly names: readonly HookName[]
  readonly budgetMs: number
}

type State =
  | { readonly kind: 'ready'; readonly thread: Thread }
  | { readonly kind: 'starting'; readonly thread: Thread }
  | { readonly kind: 'down'; readonly since: number }
  | { readonly kind: 'closed' }

export class Hooks {
  readonly #parts: HooksParts
  readonly #waiting = new Map<number, Waiting>()
  #state: State = { kind: 'down', since: Number.NEGATIVE_INFINITY }
  #nextId = 1

  constructor(parts: HooksParts) {
    this.#parts = parts
  }

  /** True where the config has this hook: a caller with no hook to ask spends no promise. */
  has(name: HookName): boolean {
    return this.#parts.names.includes(name)
  }

  /** Threads alive, for tests and /health. */
  get ready(): boolean {
    return this.#state.kind === 'ready'
  }

  /**
   * The hook's answer; undefined is no opinion. Never rejects: a hook that failed is answered by
   * `defer 451 4.3.0`, for `route` too.
   */
  ask<Name extends HookName>(
    name: Name,
    facts: HookFacts<Name>,
  ): Promise<HookAnswer<Name> | Extract<Verdict, { kind: 'defer' }> | undefined> {
    if (!this.has(name)) return Promise.resolve(undefined)
    if (this.#state.kind === 'closed' || this.#waiting.size >= WAITING_MAX) {
      return Promise.resolve(FAILED as Extract<Verdict, { kind: 'defer' }>)
    }
    return new Promise(resolve => {
      const id = this.#nextId++
      const waiting: Waiting = {
        id,
        name,
        facts,
        resolve: resolve as (answer: unknown) => void,
        askedBefore: false,
        timer: undefined,
      }
      this.#waiting.set(id, waiting)
      if (this.#state.kind === 'ready') this.#put(waiting, this.#state.thread)
      else if (this.#state.kind === 'down') this.#start()
    })
  }

  /** Starts the thread without waiting for a question. */
  warm(): void {
    if (this.#state.kind === 'down') this.#start()
  }

  /** Ends the thread; open questions are answered 451. */
  close(): void {
    const state = this.#state
    this.#state = { kind: 'closed' }
    if (state.kind === 'ready' || state.kind === 'starting') state.thread.terminate()
    for (const waiting of [...this.#waiting.values()]) this.#settle(waiting, FAILED)
  }

  #start(): void {
    const { clock, open } = this.#parts
    const state = this.#state
    if (state.kind === 'down' && clock.monotonic() - state.since < RESTART_PAUSE_MS) {
      this.#failAll()
      return
    }
    let current: Thread | undefined
    const isCurrent = () =>
      (this.#state.kind === 'ready' || this.#state.kind === 'starting') &&
      this.#state.thread === current
    const loading = clock.after(LOAD_BUDGET_MS, () => {
      if (isCurrent()) this.#down('the config took too long to load')
    })
    current = open({
      told: message => {
        if (!isCurrent()) return
        if (message.kind === 'loaded' || message.kind === 'broken') loading.cancel()
        this.#told(message)
      },
      exited: reason => {
        loading.cancel()
        if (isCurrent()) this.#replace(reason)
      },
    })
    this.#state = { kind: 'starting', thread: current }
  }

  #told(message: Told): void {
    switch (message.kind) {
      case 'loaded':
        if (this.#state.kind !== 'starting') return
        this.#state = { kind: 'ready', thread: this.#state.thread }
        for (const waiting of [...this.#waiting.values()]) this.#put(waiting, this.#state.thread)
        return
      case 'broken':
        this.#down(message.reason)
        return
      case 'said':
        this.#parts.log.info('config said', { text: message.text })
        return
      case 'answer': {
        const waiting = this.#waiting.get(message.id)
        if (waiting === undefined) return
        const checked = checkAnswer(waiting.name, message.answer)
        if (!checked.ok) {
          this.#parts.log.error('hook failed', { hook: waiting.name, reason: checked.reason })
        }
        this.#settle(waiting, checked.ok ? checked.answer : FAILED)
        return
      }
      case 'threw': {
        const waiting = this.#waiting.get(message.id)
        if (waiting === undefined) return
        this.#parts.log.error('hook failed', { hook: waiting.name, reason: message.reason })
        this.#settle(waiting, FAILED)
      }
    }
  }

  /** Hands a question to the thread and starts its budget. */
  #put(waiting: Waiting, thread: Thread): void {
    waiting.timer = this.#parts.clock.after(this.#parts.budgetMs, () => this.#overBudget(waiting))
    thread.ask({ kind: 'ask', id: waiting.id, name: waiting.name, facts: waiting.facts })
  }

  /** The oldest question is the culprit: the others waited behind it and are asked once more. */
  #overBudget(waiting: Waiting): void {
    if (!this.#waiting.has(waiting.id)) return
    this.#settle(waiting, FAILED)
    this.#replace(`hook ${waiting.name} took more than ${this.#parts.budgetMs} ms`)
  }

  #replace(reason: string): void {
    this.#parts.log.error('config thread replaced', { reason })
    const state = this.#state
    // The state changes first, so that the old thread's exit is no news.
    this.#state = { kind: 'down', since: Number.NEGATIVE_INFINITY }
    if (state.kind === 'ready' || state.kind === 'starting') state.thread.terminate()
    for (const waiting of [...this.#waiting.values()]) {
      waiting.timer?.cancel()
      waiting.timer = undefined
      if (waiting.askedBefore) this.#settle(waiting, FAILED)
      else waiting.askedBefore = true
    }
    // A thread that dies while it starts is not started again at once: that could go on for ever.
    if (state.kind === 'starting') this.#down(reason)
    else this.#start()
  }

  #down(reason: string): void {
    this.#parts.log.error('config thread down', { reason })
    const state = this.#state
    this.#state = { kind: 'down', since: this.#parts.clock.monotonic() }
    if (state.kind === 'ready' || state.kind === 'starting') state.thread.terminate()
    this.#failAll()
  }

  #failAll(): void {
    for (const waiting of [...this.#waiting.values()]) this.#settle(waiting, FAILED)
  }

  #settle(waiting: Waiting, answer: unknown): void {
    if (!this.#waiting.delete(waiting.id)) return
    waiting.timer?.cancel()
    waiting.resolve(answer)
  }
}
