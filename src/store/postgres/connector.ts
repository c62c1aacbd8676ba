/**
 * Opens connections to one PostgreSQL for everything in this process that wants one, and keeps them from
 * storming a server that is down or starting: after a failure all wait together, ever longer and with
 * chance, and one attempt at a time finds out. Called by link.ts, pool.ts and wakes.ts.
 */
import { type Clock, sleep } from '../../world/clock.ts'
import type { Log } from '../../world/log.ts'
import { PostgresConnection, sqlState } from '../../world/node/postgres.ts'
import type { Random } from '../../world/random.ts'
import { StoreError } from '../store.ts'

export interface ConnectorOptions {
  readonly url: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly statementTimeoutMs: number
}

const connectTimeoutMs = 5_000
const lockTimeoutMs = 10_000
const idleTransactionMs = 15_000
const backOffMs = 50
const backOffMaxMs = 3_000

export class Connector {
  readonly options: ConnectorOptions
  #failures = 0
  #notBefore = 0
  /** The attempt that finds out whether the server is there again; others wait for its end. */
  #probe: Promise<unknown> | undefined
  #closed = false

  constructor(options: ConnectorOptions) {
    this.options = options
  }

  /**
   * A new connection within `patienceMs`. Rejects with StoreError 'busy' where there is none by then, at
   * once where waiting cannot help: a wrong password, a missing database. A statement may take as long as the store's do
   * unless said; 0 is without end.
   */
  async connect(
    name: string,
    patienceMs: number,
    statementTimeoutMs = this.options.statementTimeoutMs,
  ): Promise<PostgresConnection> {
    const { clock } = this.options
    const until = clock.monotonic() + patienceMs
    for (;;) {
      if (this.#closed) throw new StoreError('closed', 'the store is closed')
      if (this.#failures > 0) {
        const left = until - clock.monotonic()
        if (this.#probe !== undefined) {
          await Promise.race([this.#probe.catch(() => {}), sleep(clock, Math.max(0, left))])
        } else await sleep(clock, Math.min(Math.max(0, this.#notBefore - clock.monotonic()), left))
        if (clock.monotonic() >= until && this.#failures > 0) throw this.#busy()
        if (this.#probe !== undefined) continue
      }
      try {
        return await this.#attempt(name, statementTimeoutMs)
      } catch (error) {
        if (isHopeless(error)) {
          const message = `PostgreSQL takes no connection: ${(error as Error).message}`
          throw new StoreError('broken', message)
        }
        if (clock.monotonic() >= until) throw this.#busy(error)
      }
    }
  }

  /** No further connection is opened. */
  close(): void {
    this.#closed = true
  }

  #attempt(name: string, statementTimeoutMs: number): Promise<PostgresConnection> {
    const { url } = this.options
    const attempt = PostgresConnection.open({
      url,
      name,
      connectTimeoutMs,
      statementTimeoutMs,
      lockTimeoutMs,
      idleTransactionMs,
    })
    if (this.#failures > 0) this.#probe = attempt
    return attempt.then(
      connection => {
        this.#failures = 0
        this.#probe = undefined
        return connection
      },
      error => {
        this.#probe = undefined
        this.#failed(error)
        throw error
      },
    )
  }

  #failed(error: unknown): void {
    const { clock, random, log } = this.options
    const wait = Math.min(backOffMaxMs, backOffMs * 2 ** Math.min(this.#failures, 10))
    this.#failures++
    this.#notBefore = clock.monotonic() + wait / 2 + random.below(Math.ceil(wait / 2))
    if (this.#failures === 1) log.warn('store.unreachable', { error: String(error) })
  }

  #busy(error?: unknown): StoreError {
    const why = error instanceof Error ? `: ${error.message}` : ''
    return new StoreError('busy', `PostgreSQL cannot be reached${why}`)
  }
}

/** Authorization (28) and a missing database (3D); a missing server may come back. */
function isHopeless(error: unknown): boolean {
  const state = sqlState(error) ?? ''
  return state.startsWith('28') || state.startsWith('3D')
}
