/**
 * Wake-ups between nodes by LISTEN and NOTIFY, on a connection of their own: a NOTIFY inside the
 * transactions that write would make their commits queue behind each other. Topics that are waked while
 * a NOTIFY is on its way leave together in the next. A lost connection costs wake-ups, never mail:
 * whoever listens also polls, and is told `everything` when it stands again; so are the other nodes, where
 * we had something to tell meanwhile. Called by open.ts.
 *
 * The same connection holds this node's slot, a number that no other node at work has (`Store.slot`).
 */
import { sleep, type Timer } from '../../world/clock.ts'
import type { PostgresConnection } from '../../world/node/postgres.ts'
import { everything } from '../store.ts'
import { Topics } from '../topics.ts'
import type { Connector } from './connector.ts'

/** Slots there are: src/queue/id.ts has so many. */
const slots = 128
/** A NOTIFY holds under 8000 octets. */
const payloadMax = 7_000
const heartbeatMs = 10_000
const patienceMs = 10_000
/** Behind an attempt to listen again that failed. */
const restMs = 1_000

const KEY = `hashtext('postrider slot ' || current_schema())`
/** The first free one, the one we had if it still is: generate_series stops where one is found. */
const TAKE_SLOT = `SELECT s AS slot FROM (SELECT $1::int AS s UNION ALL SELECT generate_series(0, ${slots - 1})) AS all_slots
  WHERE pg_try_advisory_lock(${KEY}, s) LIMIT 1`

export class Wakes {
  readonly #connector: Connector
  readonly #topics = new Topics()
  /** Tells our own notifications from those of others. */
  readonly #self: string
  #channel = ''
  #connection: PostgresConnection | undefined
  #waiting = new Set<string>()
  #sending = false
  #slot: number
  #heartbeat: Timer | undefined
  #closed = false

  constructor(connector: Connector) {
    this.#connector = connector
    const { random } = connector.options
    this.#self = random.below(2 ** 30).toString(36)
    this.#slot = 0
  }

  get slot(): number {
    return this.#slot
  }

  /** Connects, listens and takes a slot. */
  async start(): Promise<void> {
    const connection = await this.#connector.connect('postrider wakes', patienceMs)
    try {
      await this.#listen(connection)
      // Nobody was told of a loss until now.
      if (connection.lost !== undefined) throw connection.lost
    } catch (error) {
      connection.destroy(new Error('could not listen'))
      throw error
    }
    connection.onLost(error => this.#lost(error))
    this.#connection = connection
    if (this.#closed) await this.close()
    this.#beat()
    this.#sendSoon()
  }

  async #listen(connection: PostgresConnection): Promise<void> {
    const { rows: schemas } = await connection.query<{ schema: string }>({
      sql: 'SELECT current_schema()::text AS schema',
      values: [],
    })
    this.#channel = `postrider ${schemas[0]?.schema ?? ''}`.replaceAll('"', '').slice(0, 63)
    connection.onNotification(payload => this.#heard(payload))
    await connection.execute(`LISTEN "${this.#channel}"`)
    const { rows } = await connection.query<{ slot: number }>({
      sql: TAKE_SLOT,
      values: [this.#slot],
    })
    const [taken] = rows
    if (taken === undefined) this.#connector.options.log.warn('store.slots', { taken: slots })
    // Two nodes of one slot now and then refuse each other a key: a 4xx, no loss.
    this.#slot = taken?.slot ?? this.#connector.options.random.below(slots)
  }

  wake(topic: string): void {
    this.#topics.wake(topic)
    this.#waiting.add(topic)
    this.#sendSoon()
  }

  onWake(listen: (topic: string) => void): () => void {
    return this.#topics.onWake(listen)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#heartbeat?.cancel()
    await this.#connection?.close()
  }

  #sendSoon(): void {
    if (this.#sending || this.#closed || this.#waiting.size === 0) return
    const connection = this.#connection
    if (connection === undefined || connection.lost !== undefined) {
      // Nobody keeps count for as long as a server is away; but ours may be the only connection that is.
      this.#waiting = new Set([everything])
      return
    }
    this.#sending = true
    void this.#send(connection).then(() => {
      this.#sending = false
      this.#sendSoon()
    })
  }

  /** One statement for all that waits, as long as it has room. */
  async #send(connection: PostgresConnection): Promise<void> {
    // What is waked in this turn of the program leaves together.
    await Promise.resolve()
    const lines = [this.#self]
    let octets = this.#self.length
    for (const topic of this.#waiting) {
      octets += Buffer.byteLength(topic) + 1
      if (octets > payloadMax && lines.length > 1) break
      this.#waiting.delete(topic)
      lines.push(topic)
    }
    const values = [this.#channel, lines.join('\n')]
    try {
      await connection.query({ sql: 'SELECT pg_notify($1, $2)', values, key: 'notify' })
    } catch {
      this.#waiting.add(everything)
      if (connection.lost === undefined) await sleep(this.#connector.options.clock, restMs)
    }
  }

  #heard(payload: string): void {
    const [sender, ...topics] = payload.split('\n')
    if (sender === this.#self) return
    for (const topic of topics) this.#topics.wake(topic)
  }

  /** A network that is cut says nothing: an answer is asked for now and then. */
  #beat(): void {
    this.#heartbeat?.cancel()
    if (this.#closed) return
    this.#heartbeat = this.#connector.options.clock.after(heartbeatMs, () => {
      this.#connection?.query({ sql: 'SELECT 1', values: [], key: 'beat' }).catch(() => {})
      this.#beat()
    })
  }

  #lost(error: Error): void {
    this.#connection = undefined
    if (this.#closed) return
    this.#connector.options.log.warn('store.wakes_lost', { error: error.message })
    void this.#again()
  }

  /** Never rejects; there is one of it at a time. */
  async #again(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.start()
        this.#topics.wake(everything)
        return
      } catch {
        await sleep(this.#connector.options.clock, restMs)
      }
    }
  }
}
