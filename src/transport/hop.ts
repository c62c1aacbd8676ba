/**
 * One connection to a next hop, from the connect to QUIT: joins a client session (smtp/client) to
 * the network and gives it messages one after another. Used by transport/smtp.ts and send.ts. It
 * chooses no host, keeps no pool and retries nothing; nothing here rejects.
 */
import type { EightBit } from '../route/route.ts'
import type { Credentials } from '../sasl/mechanism.ts'
import type { Witnessed } from '../smtp/client/dialogue.ts'
import type {
  Carry,
  ClientAnswer,
  ClientEvent,
  ClientQuestion,
  Errand,
  HopFacts,
  Probe,
  Trouble,
} from '../smtp/client/question.ts'
import { ClientSession } from '../smtp/client/session.ts'
import type { Timeouts } from '../smtp/client/state.ts'
import type { Role } from '../wire/effect.ts'
import { type AsideStep, type Asides, doAside } from '../world/aside.ts'
import { ConnectError, type Connection, type SecureOptions } from '../world/net.ts'
import { type Pumping, pump } from '../world/pump.ts'
import type { DisklessWorld } from '../world/world.ts'
import type { ErrandAnswer, Following, HopCarried, ProbeAnswer } from './hop-answer.ts'
import type { Host } from './hosts.ts'
import type { TlsPolicy } from './tls-policy.ts'

export interface HopOptions {
  readonly host: Host
  readonly port: number
  readonly hostname: string
  readonly protocol: 'smtp' | 'lmtp'
  readonly tls: TlsPolicy
  /** Fingerprints of which its certificate has one. */
  readonly pins?: readonly string[]
  readonly login?: Credentials
  /** What becomes of 8-bit mail where it has no 8BITMIME; 'convert' if not given. */
  readonly eightBit?: EightBit
  /** Whether it is told by XFORWARD whom a message came from. */
  readonly xforward?: boolean
  /** Extensions not to be used though they are offered, by keyword. */
  readonly without?: readonly string[]
  readonly connectTimeoutMs: number
  readonly timeouts: Timeouts
  /** Further trusted roots, PEM. */
  readonly roots?: string
  /** The certificate we show where the host asks for one, PEM. */
  readonly own?: { readonly certificate: string; readonly key: string } | undefined
  readonly localAddress?: string
  readonly dialogueAlways?: boolean
  /** Told of all that is said and heard; the facts of TLS then name the certificates. */
  readonly witness?: (event: Witnessed) => void
}

export type HopOpened =
  | { readonly kind: 'hop'; readonly hop: Hop }
  | { readonly kind: 'trouble'; readonly trouble: Trouble; readonly dialogue: string }

/** Connects, greets, secures and logs in. */
export async function openHop(world: DisklessWorld, options: HopOptions): Promise<HopOpened> {
  const { host, port, connectTimeoutMs, localAddress, tls } = options
  let connection: Connection
  try {
    connection = await world.net.connect({
      address: host.address,
      port,
      timeoutMs: connectTimeoutMs,
      ...(localAddress === undefined ? {} : { localAddress }),
    })
  } catch (error) {
    const code = error instanceof ConnectError ? error.code : String(error)
    return unopened('connect', '4.4.1', `no connection to ${where(options)}: ${code}`)
  }
  if (tls.implicit) {
    try {
      await connection.secure(secureOptions(options))
    } catch (error) {
      connection.destroy()
      return unopened('tls', '4.7.5', `no TLS with ${where(options)}: ${messageOf(error)}`)
    }
  }
  return takeOver(world, connection, options)
}

/** A connection that stands: greeted, and made ready. That of a customer whose role has changed, too (RFC 2645). */
export function takeOver(
  world: DisklessWorld,
  connection: Connection,
  options: HopOptions,
): Promise<HopOpened> {
  return new Promise(resolve => new Hop(world, connection, options, resolve))
}

export class Hop implements Role<ClientQuestion, ClientAnswer> {
  readonly host: Host
  readonly eightBit: EightBit
  readonly xforward: boolean
  readonly #pipelines: boolean
  /** Messages given to it so far. */
  messages = 0
  /** Monotonic ms of when it last fell idle; kept by the pool. */
  idleSinceMs = 0
  /** Gives the message that goes next, where one waits while the end of another leaves; kept by the transport. */
  follow: (() => Following | undefined) | undefined
  /** Users beside the one who gives it back next; when (monotonic ms) the last load began; how long one took: the pool's. */
  shared = 0
  beganMs = 0
  tookMs = Number.POSITIVE_INFINITY
  /** Hosts that are as good as this one, itself among them, where there are others; kept by the transport. */
  equals: readonly { readonly name: string; readonly place: string }[] | undefined
  /** Called once when it can carry nothing more, whoever ended it. */
  onGone: (() => void) | undefined
  #facts: HopFacts | undefined
  #session!: ClientSession
  readonly #pumping: Pumping<ClientEvent>
  #opened: ((opened: HopOpened) => void) | undefined
  /** Given before the session was ready for it. */
  #next: ClientAnswer | undefined
  /** Resolves the open `ready`. */
  #ready: ((answer: ClientAnswer) => void) | undefined
  #carried: ((carried: HopCarried) => void) | undefined
  /** Of the message that has begun behind the one under way. */
  #behind: ((carried: HopCarried) => void) | undefined
  readonly #asides: Asides
  #gone = false

  /** Resolves the open probe. */
  #probed: ((answer: ProbeAnswer) => void) | undefined
  /** Resolves the open errand. */
  #answered: ((answer: ErrandAnswer) => void) | undefined
  #receive: ((connection: Connection) => Promise<void>) | undefined

  /** By `takeOver` alone. */
  constructor(
    world: DisklessWorld,
    connection: Connection,
    options: HopOptions,
    opened: (opened: HopOpened) => void,
  ) {
    const { host, hostname, protocol, tls, login, timeouts, dialogueAlways = false } = options
    this.host = host
    this.#asides = world
    this.eightBit = options.eightBit ?? 'convert'
    this.xforward = options.xforward === true
    this.#pipelines = protocol === 'smtp' && !options.without?.includes('PIPELINING')
    this.#opened = opened
    this.#pumping = pump<ClientQuestion, ClientAnswer, ClientEvent>({
      connection,
      clock: world.clock,
      log: world.log,
      role: this,
      identity: () => secureOptions(options),
      stallMs: timeouts.blockMs,
      lingerMs: timeouts.quitMs,
      handOver: given => this.#receive?.(given) ?? Promise.resolve(given.destroy()),
      onClosed: error => {
        const why = error === undefined ? 'the connection was closed' : messageOf(error)
        this.#session.tell({ kind: 'lost', why })
        this.#end()
      },
      session: sink => {
        this.#session = new ClientSession(
          {
            hostname,
            protocol,
            startTls: tls.startTls,
            plaintextLogin: tls.plaintextLogin,
            without: options.without ?? [],
            timeouts,
            dialogueAlways,
            host: host.name,
            address: host.address,
            chance: octets => world.random.octets(octets),
            now: () => world.clock.now(),
            ...(connection.tls === undefined ? {} : { tls: connection.tls }),
            ...(login === undefined ? {} : { login }),
            ...(options.witness === undefined ? {} : { witness: options.witness }),
          },
          sink,
        )
        return this.#session
      },
    })
  }

  /** Whether a message may begin behind the end of another; the facts of XFORWARD are told before a MAIL, and waited for. */
  get groups(): boolean {
    return this.#pipelines && !this.xforward && this.#facts?.extensions.has('PIPELINING') === true
  }

  /** What the hop said of itself; there from the moment it is open. */
  get facts(): HopFacts | undefined {
    return this.#facts
  }

  /** Whether a message may still be given to it. */
  get usable(): boolean {
    return !this.#gone
  }

  /** Resolves when the connection is gone. */
  get goodbye(): Promise<void> {
    return this.#pumping.closed
  }

  /** Carries one message; the one before must have its outcomes. */
  carry(work: Carry): Promise<HopCarried> {
    return new Promise(resolve => {
      if (this.#gone) {
        resolve({ kind: 'untouched', trouble: goneTrouble, dialogue: '' })
        return
      }
      this.messages += 1
      this.#carried = resolve
      this.#give(work)
    })
  }

  /**
   * ETRN, ATRN or TURN (smtp/client/errand.ts). Where the roles change, `receive` is given the connection,
   * and the hop is gone for us; `goodbye` then waits for what `receive` does.
   */
  run(errand: Errand, receive: (connection: Connection) => Promise<void>): Promise<ErrandAnswer> {
    return new Promise(resolve => {
      if (this.#gone) {
        resolve({ kind: 'trouble', trouble: goneTrouble })
        return
      }
      this.#receive = receive
      this.#answered = resolve
      this.#give(errand)
    })
  }

  /** Asks whether mail would be taken, and sends none. */
  probe(probe: Probe): Promise<ProbeAnswer> {
    return new Promise(resolve => {
      if (this.#gone) {
        resolve({ kind: 'trouble', trouble: goneTrouble })
        return
      }
      this.#probed = resolve
      this.#give(probe)
    })
  }

  /** Says QUIT once nothing is under way. */
  leave(): void {
    if (this.#gone) return
    this.#end()
    if (this.#ready === undefined) this.#pumping.tell({ kind: 'quit' })
    else this.#give({ kind: 'quit' })
  }

  // The role behind the session.

  ask(question: ClientQuestion): ClientAnswer | Promise<ClientAnswer> {
    switch (question.kind) {
      case 'ready':
        return this.#isReady(question.facts)
      case 'outcomes': {
        const { outcomes, dialogue, trouble } = question
        if (trouble !== undefined) this.#end()
        const carried = this.#carried
        this.#carried = this.#behind
        this.#behind = undefined
        carried?.({
          kind: 'carried',
          outcomes,
          ...(dialogue === undefined ? {} : { dialogue }),
          ...(trouble === undefined ? {} : { trouble }),
        })
        if (trouble !== undefined) this.#untouched({ ...trouble, phase: 'idle' })
        return noted
      }
      case 'next':
        return this.#following()
      case 'aside':
        return asideAnswer(this.#asides, question.step)
      case 'errand': {
        const { reply, exchanged } = question
        if (exchanged) this.#end()
        this.#answered?.({ kind: 'answered', reply, exchanged })
        this.#answered = undefined
        return noted
      }
      case 'probed':
        this.#probed?.(question)
        this.#probed = undefined
        return noted
      case 'trouble':
        this.#isTrouble(question.trouble, question.dialogue)
        return noted
    }
  }

  failed(): ClientAnswer {
    return { kind: 'quit' }
  }

  #isReady(facts: HopFacts): ClientAnswer | Promise<ClientAnswer> {
    this.#facts = facts
    const opened = this.#opened
    this.#opened = undefined
    opened?.({ kind: 'hop', hop: this })
    const next = this.#next
    this.#next = undefined
    return next ?? new Promise(resolve => (this.#ready = resolve))
  }

  /** RFC 2920 §3.1, where another message waits. */
  #following(): ClientAnswer {
    const following = this.#gone ? undefined : this.follow?.()
    if (following === undefined) return noted
    this.messages += 1
    this.#behind = following.carried
    return following.work
  }

  #untouched(trouble: Trouble, dialogue = ''): void {
    const carried = this.#carried
    this.#carried = undefined
    carried?.({ kind: 'untouched', trouble, dialogue })
  }

  #isTrouble(trouble: Trouble, dialogue: string): void {
    this.#end()
    const opened = this.#opened
    this.#opened = undefined
    opened?.({ kind: 'trouble', trouble, dialogue })
    this.#untouched(trouble, dialogue)
    this.#answered?.({ kind: 'trouble', trouble })
    this.#answered = undefined
    this.#probed?.({ kind: 'trouble', trouble })
    this.#probed = undefined
  }

  #give(answer: ClientAnswer): void {
    const ready = this.#ready
    this.#ready = undefined
    if (ready === undefined) this.#next = answer
    else ready(answer)
  }

  #end(): void {
    if (this.#gone) return
    this.#gone = true
    this.onGone?.()
  }
}

/** A step of a login that a client session wants done. */
async function asideAnswer(asides: Asides, step: AsideStep): Promise<ClientAnswer> {
  return { kind: 'aside', answer: await doAside(asides, step) }
}

const noted: ClientAnswer = { kind: 'noted' }

const goneTrouble: Trouble = {
  kind: 'deferred',
  phase: 'idle',
  status: '4.4.2',
  reason: 'the connection is gone',
}

/** A host that could not be spoken to at all. */
export function unopened(phase: Trouble['phase'], status: string, reason: string): HopOpened {
  return { kind: 'trouble', trouble: { kind: 'deferred', phase, status, reason }, dialogue: '' }
}

/** How the host is met in TLS, from the first octet or by STARTTLS. */
export function secureOptions(options: HopOptions): SecureOptions {
  const { host, tls, pins, roots, own, witness } = options
  return {
    side: 'client',
    servername: host.name.startsWith('[') ? host.address : host.name,
    trust: tls.trust,
    ...(pins === undefined ? {} : { pins }),
    ...(roots === undefined ? {} : { roots }),
    ...(own === undefined ? {} : { own }),
    ...(witness === undefined ? {} : { chain: true }),
  }
}

function where({ host, port }: HopOptions): string {
  if (host.address.startsWith('/')) return host.address
  return `${host.name === host.address ? host.name : `${host.name} (${host.address})`} port ${port}`
}

/**
 * OpenSSL's errors name the line of its source (`407D:error:0A00010B:SSL routines:FUNCTION:REASON:FILE:77:`), and Node's
 * advise on its flags: neither is of use to who reads a notice.
 */
function messageOf(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).trim()
  const reason = /:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/.exec(text)?.[1]
  return reason ?? text.replace(/; if the root CA is installed locally.*$/s, '')
}
