/**
 * Reads a maildrop of some server over POP3: connects, secures, logs in, hands every message to the
 * caller, deletes what the caller has taken, and quits. For tests, the simulated town and tools.
 */

import type { ClientAnswer, ClientQuestion, Order, Result } from '../pop3/client/question.ts'
import { ClientSession } from '../pop3/client/session.ts'
import type { Credentials } from '../sasl/mechanism.ts'
import type { Role } from '../wire/effect.ts'
import { type AsideStep, type Asides, doAside } from '../world/aside.ts'
import type { SecureOptions } from '../world/net.ts'
import { pump } from '../world/pump.ts'
import type { World } from '../world/world.ts'

export interface FetchOptions {
  readonly address: string
  readonly port: number
  /** The server's name, for mechanisms that say it. */
  readonly hostname?: string
  readonly credentials: Credentials
  /** 'implicit' is POP3S (RFC 8314); 'startTls' demands STLS; 'never' speaks in the clear. */
  readonly tls: 'implicit' | 'startTls' | 'never'
  /** How TLS is done, where it is. */
  readonly secure?: SecureOptions
  /** SASL mechanisms that may be used; empty is USER and PASS. */
  readonly mechanisms: readonly string[]
  /** True marks every message fetched as deleted; QUIT makes it so. */
  readonly remove: boolean
  readonly timeoutMs: number
}

export interface Fetched {
  /** The unique-id of UIDL. */
  readonly id: string
  /** The size that LIST said. */
  readonly sizeOctets: number
  readonly octets: Uint8Array
}

/** Something went wrong; the reply is the server's, where it is one. */
export class FetchError extends Error {}

/**
 * All messages, in order, whole in memory. Rejects with `FetchError`, or with ConnectError where no
 * connection came about; then nothing was deleted.
 */
export async function fetchAll(world: World, options: FetchOptions): Promise<Fetched[]> {
  const client = await Client.connect(world, options)
  try {
    if (options.tls === 'startTls') await client.order({ kind: 'startTls' }, 'ok')
    const { credentials, mechanisms } = options
    await client.order({ kind: 'login', credentials, mechanisms }, 'ok')
    const sizes = await client.order({ kind: 'list' }, 'listing')
    const ids = new Map((await client.order({ kind: 'uidl' }, 'listing')).entries)
    const fetched: Fetched[] = []
    for (const [number, size] of sizes.entries) {
      await client.order({ kind: 'retrieve', number }, 'content')
      const octets = client.takeContent()
      fetched.push({ id: ids.get(number) ?? '', sizeOctets: Number(size), octets })
    }
    for (const [number] of options.remove ? sizes.entries : []) {
      await client.order({ kind: 'delete', number }, 'ok')
    }
    await client.order({ kind: 'quit' }, 'ok')
    return fetched
  } finally {
    client.close()
  }
}

/** The role of a client session that turns its one question into promises. */
class Client implements Role<ClientQuestion, ClientAnswer> {
  #content: Uint8Array[] = []
  #result = Promise.withResolvers<Result>()
  #next: ((order: Order) => void) | undefined
  #close = () => {}
  #lost = false
  readonly #asides: Asides

  constructor(asides: Asides) {
    this.#asides = asides
  }

  static async connect(world: World, options: FetchOptions): Promise<Client> {
    const { address, port, timeoutMs, secure, tls } = options
    const connection = await world.net.connect({ address, port, timeoutMs })
    const client = new Client(world)
    if (tls === 'implicit') {
      if (secure === undefined) throw new FetchError('TLS is wanted and not set up')
      await connection.secure(secure)
    }
    const settings = {
      plaintextAuth: tls === 'never',
      replyTimeoutMs: timeoutMs,
      ...(options.hostname !== undefined && { hostname: options.hostname }),
      chance: (count: number) => world.random.octets(count),
    }
    const running = pump<ClientQuestion, ClientAnswer>({
      connection,
      clock: world.clock,
      log: world.log,
      role: client,
      session: sink => new ClientSession(sink, settings, connection.tls),
      ...(secure === undefined ? {} : { identity: () => secure }),
    })
    client.#close = () => running.close()
    const greeting = await client.#result.promise
    if (greeting.kind !== 'ok') {
      client.close()
      throw new FetchError(wordsOf(greeting))
    }
    return client
  }

  ask(question: ClientQuestion): Promise<ClientAnswer> {
    if (question.kind === 'aside') return this.#aside(question.step)
    this.#result.resolve(question.result)
    return new Promise(resolve => {
      this.#next = resolve
    })
  }

  async #aside(step: AsideStep): Promise<ClientAnswer> {
    return { kind: 'aside', answer: await doAside(this.#asides, step) }
  }

  failed(): ClientAnswer {
    return { kind: 'quit' }
  }

  content(octets: Uint8Array, from: number, to: number): undefined {
    this.#content.push(octets.slice(from, to))
  }

  closed(): void {
    this.#lost = true
    this.#result.resolve({ kind: 'broken', why: 'the connection is lost' })
  }

  /** Gives an order and waits for a result of that kind. */
  async order<K extends Result['kind']>(
    order: Order,
    kind: K,
  ): Promise<Extract<Result, { readonly kind: K }>> {
    const result = Promise.withResolvers<Result>()
    this.#result = result
    if (this.#lost) this.closed()
    this.#next?.(order)
    const got = await result.promise
    if (got.kind !== kind) throw new FetchError(`${order.kind}: ${wordsOf(got)}`)
    return got as Extract<Result, { readonly kind: K }>
  }

  takeContent(): Uint8Array {
    const octets = Buffer.concat(this.#content)
    this.#content = []
    return octets
  }

  close(): void {
    this.#close()
  }
}

function wordsOf(result: Result): string {
  if (result.kind === 'refused' || result.kind === 'ok') return result.text
  return result.kind === 'broken' ? result.why : `an answer of kind ${result.kind}`
}
