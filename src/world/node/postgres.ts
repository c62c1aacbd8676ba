/**
 * PostgreSQL by the `pg` package: the one file that touches it. A connection sends statements without
 * waiting for the answers of those before (pipelining); answers come in order. Nothing here knows the
 * schema, the dialect or a StoreError; src/store/postgres decides what runs where.
 *
 * Never `binary: true`, which corrupts bytea and integers; octets go as binary parameters anyway.
 */
import { Client, type QueryResult } from 'pg'
import type { Value } from '../sql.ts'

export interface PostgresOptions {
  /** postgres://user:password@host:port/database */
  readonly url: string
  /** Shown in pg_stat_activity; the name by which a lost connection is found there. */
  readonly name: string
  readonly connectTimeoutMs: number
  /** How long one statement, a lock, or an idle transaction may take. 0 is without end. */
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
  readonly idleTransactionMs: number
}

/** A statement; one with a key is prepared under it once on each connection. */
export interface Statement {
  readonly sql: string
  readonly values: readonly Value[]
  readonly key?: string
}

export interface Answer<Row = unknown> {
  readonly rows: Row[]
  /** Rows that a statement changed or gave. */
  readonly count: number
  /** 'COMMIT', 'ROLLBACK', 'INSERT' ... as the server says it did. */
  readonly command: string
}

/** How long an answer may take in all, for a statement that has so long: some of it is the way. */
const silenceMs = (statementTimeoutMs: number): number => statementTimeoutMs * 1.2 + 500
/** How long a goodbye may take. */
const goodbyeMs = 2_000

export class PostgresConnection {
  readonly #client: Client
  #corked = false
  #lost: Error | undefined
  #whenLost: ((error: Error) => void) | undefined
  readonly #gone = Promise.withResolvers<void>()

  /** Use `PostgresConnection.open`. */
  private constructor(client: Client) {
    this.#client = client
    client.on('error', error => this.#lose(error))
    client.on('end', () => this.#lose(new Error('the connection to PostgreSQL ended')))
  }

  /** Connects and logs in; rejects with the server's or the system's error. */
  static async open(options: PostgresOptions): Promise<PostgresConnection> {
    const client = new Client({
      connectionString: options.url,
      application_name: options.name,
      connectionTimeoutMillis: options.connectTimeoutMs,
      statement_timeout: options.statementTimeoutMs,
      lock_timeout: options.lockTimeoutMs,
      idle_in_transaction_session_timeout: options.idleTransactionMs,
      // A network that is cut says nothing: the server should have answered by now.
      ...(options.statementTimeoutMs > 0
        ? { query_timeout: silenceMs(options.statementTimeoutMs) }
        : {}),
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      pipeline: true,
      types: { getTypeParser: (oid: number) => parsers[oid] ?? asText },
    } as ConstructorParameters<typeof Client>[0])
    const connection = new PostgresConnection(client)
    await client.connect()
    return connection
  }

  /** Why it cannot be used any more; undefined while it can. */
  get lost(): Error | undefined {
    return this.#lost
  }

  /** Told once when the connection is lost. */
  onLost(tell: (error: Error) => void): void {
    this.#whenLost = tell
  }

  /** Told what others NOTIFY on channels that this connection LISTENs to. */
  onNotification(tell: (payload: string, processId: number) => void): void {
    this.#client.on('notification', ({ payload, processId }) => tell(payload ?? '', processId))
  }

  /** Sends a statement now; what is sent in one turn of the program leaves in one write. */
  async query<Row extends object>(statement: Statement): Promise<Answer<Row>> {
    this.#cork()
    const { sql, key } = statement
    const values = statement.values.map(bindable)
    const query = key === undefined ? { text: sql, values } : { name: key, text: sql, values }
    const result = await this.#answered<QueryResult<Row>>(this.#client.query(query))
    return { rows: result.rows, count: result.rowCount ?? 0, command: result.command }
  }

  /** Runs statements that take no values, several in one text if need be. */
  async execute(sql: string): Promise<void> {
    this.#cork()
    await this.#answered(this.#client.query(sql))
  }

  /** An error that ends the session, or is none of the server's, means that the connection is gone. */
  async #answered<Result>(answer: Promise<Result>): Promise<Result> {
    try {
      return await answer
    } catch (error) {
      const severity = error instanceof Error && 'severity' in error ? error.severity : 'FATAL'
      if (severity === 'FATAL' || severity === 'PANIC') this.destroy(error as Error)
      throw error
    }
  }

  /** Says goodbye; what was sent before is still answered, if the server answers. Never rejects. */
  async close(): Promise<void> {
    this.#whenLost = undefined
    if (this.#lost !== undefined) return
    const late = setTimeout(() => this.destroy(new Error('no goodbye came')), goodbyeMs)
    await Promise.race([this.#client.end().catch(() => {}), this.#gone.promise])
    clearTimeout(late)
  }

  /** Cuts the connection at once: what was not answered fails. */
  destroy(why: Error): void {
    streamOf(this.#client)?.destroy(why)
    this.#lose(why)
  }

  #cork(): void {
    const stream = this.#corked ? undefined : streamOf(this.#client)
    if (stream === undefined) return
    this.#corked = true
    stream.cork()
    process.nextTick(() => {
      this.#corked = false
      stream.uncork()
    })
  }

  #lose(error: Error): void {
    if (this.#lost !== undefined) return
    this.#lost = error
    this.#gone.resolve()
    this.#whenLost?.(error)
  }
}

interface Stream {
  cork(): void
  uncork(): void
  destroy(error?: Error): void
}

/** The socket under a client, which the types of `pg` do not show. */
function streamOf(client: Client): Stream | undefined {
  return (client as unknown as { connection?: { stream?: Stream } }).connection?.stream
}

/** PostgreSQL's text holds no NUL, SQLite's does: what a peer sent must not fail for it. */
function bindable(value: Value): Value {
  return typeof value === 'string' && value.includes('\0')
    ? value.replaceAll('\0', '\ufffd')
    : value
}

/** Buffers of their own, never a view into a shared one: a reader's caller may move them. */
function octets(text: string): Uint8Array {
  const whole = Buffer.allocUnsafeSlow((text.length - 2) / 2)
  whole.write(text.slice(2), 'hex')
  return new Uint8Array(whole.buffer)
}

const asText = (text: string): string => text

/** By the OID of a type: int8, int2, int4, oid, float8, numeric are numbers; bool is 0 or 1 as on SQLite. */
const parsers: Readonly<Record<number, (text: string) => unknown>> = {
  16: text => (text === 't' ? 1 : 0),
  17: octets,
  20: Number,
  21: Number,
  23: Number,
  26: Number,
  701: Number,
  1700: Number,
}

/** The SQLSTATE of an error that PostgreSQL made, else undefined. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('severity' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
