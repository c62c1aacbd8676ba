/** A client of POP3 or IMAP in the town that speaks in lines, for readers.ts: TLS from the first octet, and patience. */
import type { Connection } from '../../src/world/net.ts'
import type { World } from '../../src/world/world.ts'

const PATIENCE_MS = 60_000

export class LineClient {
  readonly #connection: Connection
  readonly #world: Pick<World, 'clock'>
  #held = Buffer.alloc(0)
  #over: Error | undefined
  #waiting: (() => void) | undefined

  private constructor(connection: Connection, world: Pick<World, 'clock'>) {
    this.#connection = connection
    this.#world = world
  }

  static async open(
    world: World,
    where: { readonly address: string; readonly port: number; readonly servername: string },
  ): Promise<LineClient> {
    const { servername, ...to } = where
    const connection = await world.net.connect({ ...to, timeoutMs: PATIENCE_MS })
    await connection.secure({ side: 'client', servername, trust: 'verify' })
    const client = new LineClient(connection, world)
    connection.open({
      received(octets) {
        client.#held = Buffer.concat([client.#held, octets])
        client.#waiting?.()
      },
      ended: () => client.#end(new Error('the server said goodbye')),
      drained() {},
      closed: error => client.#end(error ?? new Error('the connection is closed')),
    })
    return client
  }

  send(line: string): void {
    this.#connection.write(`${line}\r\n`)
  }

  /** One line, without its end. Rejects when the connection is gone or nothing comes. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#held.indexOf('\r\n')
      if (end >= 0) return this.#take(end + 2).toString('latin1', 0, end)
      await this.#more()
    }
  }

  /** So many octets. */
  async octets(count: number): Promise<string> {
    while (this.#held.length < count) await this.#more()
    return this.#take(count).toString('latin1')
  }

  close(): void {
    this.#connection.destroy()
  }

  #take(count: number): Buffer {
    const taken = this.#held.subarray(0, count)
    this.#held = this.#held.subarray(count)
    return taken
  }

  #end(error: Error): void {
    this.#over ??= error
    this.#waiting?.()
  }

  async #more(): Promise<void> {
    if (this.#over) throw this.#over
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting = resolve
    const late = this.#world.clock.after(PATIENCE_MS, () => this.#end(new Error('nothing comes')))
    await promise
    late.cancel()
    this.#waiting = undefined
  }
}
