/**
 * An SMTP or LMTP server for a TypeScript program: our session and pump behind a function that
 * takes each message. It keeps nothing: whoever answers `message` with accept has the message. For
 * the whole mail system see server/start.ts.
 */
import type { Envelope } from '../mail/envelope.ts'
import { accept, defer, refuse, type Verdict } from '../mail/verdict.ts'
import type { LoginAnswer } from '../sasl/mechanism.ts'
import type { Later, Peer, Policy, SessionSettings } from '../smtp/server/question.ts'
import { roleOf } from '../smtp/server/role.ts'
import { ServerSession } from '../smtp/server/session.ts'
import type { Connection, Listening, ServerIdentity } from '../world/net.ts'
import { nodeClock, nodeLog, nodeNet, nodeRandom } from '../world/node/index.ts'
import { type Pumping, pump } from '../world/pump.ts'

/** A message as it was received. */
export interface ReceivedMessage {
  readonly peer: Peer
  readonly envelope: Envelope
  /** CRLF line ends, dots unstuffed; nothing was added. */
  readonly content: Uint8Array
}

export interface CreateServerOptions {
  /** Called for each complete message; the 250 is sent once it resolves to accept (the default). */
  readonly message: (message: ReceivedMessage) => Later<Verdict | void>
  /** Any of the session's other questions (smtp/server/question.ts); what is absent accepts. */
  readonly policy?: Partial<Pick<Policy, 'connect' | 'hello' | 'mail' | 'rcpts' | 'login'>>
  /** What the session allows; the defaults are those of a small private server. */
  readonly settings?: Partial<Omit<SessionSettings, 'chance' | 'now'>>
  /** Offers STARTTLS, or TLS from the first octet with `implicitTls`. */
  readonly identity?: ServerIdentity
  readonly implicitTls?: boolean
}

export interface EmbeddedServer {
  /** Listens; port 0 picks a free one. Resolves with the port. */
  listen(port?: number, address?: string): Promise<number>
  /** Stops listening and tells every session 421. */
  close(): Promise<void>
}

const DEFAULTS: Omit<SessionSettings, 'chance' | 'now' | 'startTls'> = {
  hostname: 'localhost',
  protocol: 'smtp',
  banner: 'Postrider',
  sizeMaxBytes: 25 * 1024 * 1024,
  recipientsMax: 1000,
  recipientDomainsMax: 0,
  bareLineEnds: 'refuse',
  mechanisms: [],
  requireAuth: false,
  service: 'mx',
  with: [],
  without: [],
  xclientFrom: [],
  xforwardFrom: [],
  errorsMax: 20,
  transactionsMax: 10_000,
  commandTimeoutMs: 300_000,
  dataTimeoutMs: 180_000,
  deliverByMinS: 0,
  holdMaxS: 0,
  priorityMax: 0,
  unwanted: [],
}

/** Makes a server; it does nothing before `listen`. */
export function createServer(options: CreateServerOptions): EmbeddedServer {
  const running = new Set<Pumping<{ readonly kind: 'shutdown' }>>()
  const listening: Listening[] = []
  const settings: SessionSettings = {
    ...DEFAULTS,
    startTls: options.identity !== undefined && options.implicitTls !== true,
    ...options.settings,
    chance: octets => nodeRandom.octets(octets),
    now: () => nodeClock.now(),
  }
  const log = nodeLog({ level: 'error' })

  async function serve(connection: Connection): Promise<void> {
    const tls = () => ({ side: 'server' as const, identity: options.identity as ServerIdentity })
    if (options.implicitTls) await connection.secure(tls())
    const ends = { remote: connection.remote, local: connection.local }
    const one = pump({
      connection,
      clock: nodeClock,
      log,
      identity: tls,
      role: roleOf(new Collecting(options)),
      session: sink => new ServerSession(sink, settings, ends, connection.tls),
    })
    running.add(one)
    await one.closed
    running.delete(one)
  }

  return {
    async listen(port = 0, address = '127.0.0.1') {
      const opened = await nodeNet.listen({ kind: 'tcp', address, port }, connection => {
        serve(connection).catch(() => connection.destroy())
      })
      listening.push(opened)
      return opened.local.port
    },
    async close() {
      await Promise.all(listening.map(each => each.close()))
      const all = [...running]
      for (const one of all) one.tell({ kind: 'shutdown' })
      await Promise.all(all.map(one => one.closed))
    },
  }
}

const NO_LOGIN: LoginAnswer = { kind: 'denied', why: 'no logins here' }

/** Collects the content in memory and hands it to the user's function. */
class Collecting implements Policy {
  readonly #options: CreateServerOptions
  #chunks: Uint8Array[] = []

  constructor(options: CreateServerOptions) {
    this.#options = options
  }

  connect: Policy['connect'] = peer => this.#options.policy?.connect?.(peer) ?? accept()
  hello: Policy['hello'] = peer => this.#options.policy?.hello?.(peer) ?? accept()
  login: Policy['login'] = (peer, question) =>
    this.#options.policy?.login?.(peer, question) ?? NO_LOGIN
  mail: Policy['mail'] = (peer, sender) => this.#options.policy?.mail?.(peer, sender) ?? accept()
  rcpts: Policy['rcpts'] = (peer, envelope, recipients) =>
    this.#options.policy?.rcpts?.(peer, envelope, recipients) ?? recipients.map(() => accept())

  data(): Verdict {
    this.#chunks = []
    return accept()
  }

  content(octets: Uint8Array, from: number, to: number): undefined {
    this.#chunks.push(octets.slice(from, to))
    return undefined
  }

  async accept(peer: Peer, envelope: Envelope): Promise<readonly Verdict[]> {
    const content = Buffer.concat(this.#chunks)
    this.#chunks = []
    try {
      const verdict = (await this.#options.message({ peer, envelope, content })) ?? accept()
      return envelope.recipients.map(() => verdict)
    } catch {
      return envelope.recipients.map(() => defer(451, '3.0', 'the message could not be handled'))
    }
  }

  abandon(): void {
    this.#chunks = []
  }

  verify(): Verdict {
    return accept()
  }

  expand(): Verdict {
    return refuse(550, '7.1', 'mailing lists are not shown')
  }

  start(): Verdict {
    return refuse(502, '5.1', 'there is no queue here')
  }

  exchange(): Verdict {
    return refuse(502, '5.1', 'there is no queue here')
  }

  closed(): void {
    this.#chunks = []
  }
}
