/**
 * The pump: the only loop that joins a session (wire/effect.ts) to a connection (world/net.ts) and to the role that answers its questions. Listeners
 * and transports start one for each connection; it serves both sides of every protocol. It gathers what a session sends during one input and writes once,
 * keeps the deadlines, stops reading where memory would grow, and stands between one session's faults and the rest. It knows no protocol and no policy.
 */
import type { Lent, Noted, Session, Sink, Source, Transform } from '../wire/effect.ts'
import type { Timer } from './clock.ts'
import { Deadline } from './deadline.ts'
import type { Connection } from './net.ts'
import { Outbox } from './outbox.ts'
import { Owed } from './owed.ts'
import { Pace } from './pace.ts'
import type { Pumping, PumpOptions } from './pumping.ts'
import { type Joined, Running } from './running.ts'
import { end, expire, receive, secured, start } from './session-input.ts'

export type { Pumping, PumpOptions } from './pumping.ts'

const NOTHING = new Uint8Array(0)

/** Joins them, and starts the session. */
export function pump<Q, A, E = never>(options: PumpOptions<Q, A, E>): Pumping<E> {
  const running = new Running<E>(options.owner)
  new Pump(options, running).open()
  return running
}

/**
 * 'securing': secure() was called and output still leaves, 'leaving': handOver() was; 'handshake': TLS is agreed on.
 * 'closing': output still leaves; 'ending': our end of stream is sent, the peer's is awaited.
 */
type Phase = 'open' | 'securing' | 'handshake' | 'leaving' | 'closing' | 'ending' | 'closed'

class Pump<Q, A, E> implements Sink<Q, A>, Joined<A, E> {
  readonly #options: PumpOptions<Q, A, E>
  readonly #running: Running<E>
  readonly #session: Session<A, E>
  readonly #outbox: Outbox
  #connection: Connection
  #compressing = false
  readonly #deadline: Deadline
  readonly #pace: Pace
  readonly #owed: Owed<A, E>
  #phase: Phase = 'open'
  /** The session is at work: nothing may enter it again before it returns. */
  #busy = false
  #paused = false
  #peerEnded = false
  #questionsOpen = 0
  #contentOpen = 0
  #fault: Error | undefined
  /** What the peer did wrong costs it time: until this rings nothing leaves, and nothing is read. */
  #held: Timer | undefined
  #holdMs = 0
  /** The role was told that this is over. */
  #left = false

  constructor(options: PumpOptions<Q, A, E>, running: Running<E>) {
    this.#options = options
    this.#running = running
    running.pump = this
    this.#connection = options.connection
    this.#outbox = new Outbox(options.connection, this)
    this.#deadline = new Deadline(options.clock, this)
    this.#pace = new Pace(options.clock, this)
    this.#owed = new Owed(options.clock, this.#pace, this)
    this.#session = options.session(this)
  }

  open(): void {
    this.#connection.open(this)
    this.#input(start, undefined)
  }

  /** Passes an event on; one that comes while the session is at work waits for its return. */
  tell(event: E): void {
    if (this.isOver) return
    this.#owed.tell(event)
    this.settle()
  }

  send(output: string | Uint8Array): void {
    if (this.isOver) return
    this.#owed.drained = true
    this.#outbox.send(output)
  }

  stream(source: Source | Lent, transform?: Transform): void {
    if (this.isOver) return
    this.#owed.drained = true
    this.#outbox.stream(source, transform)
  }

  ask(question: Q): A | undefined {
    try {
      const answer = this.#options.role.ask(question)
      if (!(answer instanceof Promise)) return answer
      this.#questionsOpen += 1
      answer.then(
        later => this.#answered(later),
        error => this.#answered(this.#failed(question, error)),
      )
      return undefined
    } catch (error) {
      return this.#failed(question, error)
    }
  }

  content(octets: Uint8Array, from: number, to: number): void {
    const taken = this.#options.role.content?.(octets, from, to)
    if (!taken) return
    this.#contentOpen += 1
    taken.then(
      () => {
        this.#contentOpen -= 1
        this.settle()
      },
      // Octets of a message are lost: nothing that follows may be acknowledged.
      error => this.broken('content-failed', error),
    )
  }

  note(what: Noted): void {
    this.#holdMs = Math.max(this.#holdMs, this.#options.role.noted?.(what) ?? 0)
  }

  secure(): void {
    if (this.#phase === 'open') this.#phase = 'securing'
  }

  compress(): void {
    this.#compressing = true
  }

  handOver(): void {
    if (this.#phase === 'open') this.#phase = 'leaving'
  }

  close(): void {
    if (this.isOver) return
    this.#phase = 'closing'
    this.settle()
  }

  received(octets: Uint8Array): void {
    this.#pace.received(octets)
  }

  ended(): void {
    this.#pace.ended()
  }

  take(octets: Uint8Array): void {
    // What the peer sent before it knew is neither the one nor the other.
    if (this.#compressing) this.broken('octets-before-compression', new Error('too soon'))
    else if (this.#phase === 'open') this.#input(receive, octets)
    // Nothing crosses from one session to the next: reading stands still, so nothing can be owed either.
    else if (this.#phase === 'leaving')
      this.broken('octets-before-hand-over', new Error('too soon'))
    // Plaintext behind the command that starts TLS is an injection (RFC 3207 §6).
    else if (!this.isOver) this.broken('plaintext-before-tls', new Error('no TLS handshake'))
    else if (this.#phase === 'ending') this.#deadline.spend(octets.length)
  }

  end(): void {
    this.#peerEnded = true
    if (this.#phase === 'open') this.#input(end, undefined)
    else if (!this.isOver) this.#connection.destroy()
  }

  drained(): void {
    this.#outbox.drained()
    this.settle()
  }

  closed(error?: Error): void {
    if (this.#phase === 'closed') return
    this.#phase = 'closed'
    this.#held?.cancel()
    this.#deadline.cancel()
    this.#outbox.stop()
    this.#leave()
    try {
      this.#options.onClosed?.(this.#fault ?? error)
    } catch (bug) {
      this.#options.log.error('closed-threw', { error: bug })
    }
    this.#running.end()
  }

  /** The role hears of the end once: when all is said, though the peer may take its time to go. */
  #leave(): void {
    if (this.#left) return
    this.#left = true
    this.#pace.cancel()
    try {
      this.#options.role.closed?.()
    } catch (bug) {
      this.#options.log.error('closed-threw', { error: bug })
    }
  }

  get isOver(): boolean {
    return this.#phase === 'closing' || this.#phase === 'ending' || this.#phase === 'closed'
  }

  /** Gives one input to the session and then does everything that follows from it. */
  #input<T>(give: (session: Session<A, E>, what: T) => void, what: T): void {
    this.enter(give, what)
    this.settle()
  }

  /** The only way into the session. A throw is a bug in it, and ends this connection alone. */
  enter<T>(give: (session: Session<A, E>, what: T) => void, what: T): void {
    this.#busy = true
    try {
      give(this.#session, what)
    } catch (error) {
      this.broken('session-threw', error)
    } finally {
      this.#busy = false
    }
  }

  #answered(answer: A | undefined): void {
    this.#questionsOpen -= 1
    if (answer !== undefined && !this.isOver) this.#owed.answer(answer)
    this.settle()
  }

  #failed(question: Q, error: unknown): A | undefined {
    this.#options.log.error('role-failed', { error })
    try {
      return this.#options.role.failed(question, error)
    } catch (bug) {
      this.broken('role-failed-twice', bug)
      return undefined
    }
  }

  /** A fault that ends this connection and no other. */
  broken(event: string, error: unknown): void {
    if (this.#phase === 'closed') return
    this.#fault = error instanceof Error ? error : new Error(String(error))
    // A bug is shown with its stack; what a peer can cause at will costs one short line.
    const isBug = event === 'session-threw' || event === 'role-failed-twice'
    if (isBug) this.#options.log.error(event, { error })
    else this.#options.log.warn(event, { reason: this.#fault.message })
    this.#phase = 'ending'
    this.#outbox.stop()
    this.#connection.destroy()
  }

  get gives(): boolean {
    return this.#phase === 'open'
  }

  get idle(): boolean {
    return this.#outbox.idle
  }

  flush(): void {
    this.#outbox.flush()
  }

  /** A question is open, or its answer not given yet. */
  get #asks(): boolean {
    return this.#questionsOpen > 0 || this.#owed.answers > 0
  }

  /** Brings the connection in line with what the session has done: output, phase, reading, time. */
  settle(): void {
    if (this.#busy || this.#phase === 'closed') return
    if (this.holds() || !this.#owed.give(this.#session)) {
      this.#regulate()
      return
    }
    const outbox = this.#outbox
    const idle = !this.#asks && this.#contentOpen === 0
    // The peer has ended, nothing is open and nothing left to say: nothing more can happen.
    const quiet = idle && outbox.idle && !this.#owed.drained
    if (this.#phase === 'open' && this.#peerEnded && quiet) this.#phase = 'closing'
    if (this.#phase === 'closing' && outbox.empty) {
      this.#phase = 'ending'
      this.#leave()
      this.#connection.end()
    }
    const changes = this.#compressing || this.#phase === 'securing' || this.#phase === 'leaving'
    if (changes && outbox.idle && this.#pace.holds) this.take(NOTHING)
    if (this.#compressing && this.#phase === 'open' && outbox.idle) this.#deflate()
    this.#regulate()
    if (this.#phase === 'securing' && outbox.idle) void this.#handshake()
    if (this.#phase === 'leaving' && outbox.idle) {
      this.#handedOver()
      return
    }
    this.#watch()
  }

  /** Whether all waits, since the peer did too much wrong: one timer, and no octet of memory more. */
  holds(): boolean {
    if (this.#held !== undefined) return true
    if (this.#holdMs === 0 || this.#phase === 'ending') return false
    const waitMs = this.#holdMs
    this.#holdMs = 0
    this.#deadline.cancel()
    this.#held = this.#options.clock.after(waitMs, () => {
      this.#held = undefined
      this.settle()
    })
    return true
  }

  /** The roles change: from here on the connection is another's. */
  #handedOver(): void {
    const { handOver } = this.#options
    const connection = this.#connection
    if (handOver === undefined || this.#peerEnded) {
      this.broken('no-hand-over', new Error('nobody is there to take the connection'))
      return
    }
    this.#phase = 'closed'
    this.#deadline.cancel()
    this.#leave()
    if (this.#paused) connection.resume()
    connection.release(NOTHING)
    void handOver(connection).then(() => this.#running.end())
  }

  /** Both directions change at once: the peer sends nothing before it has read the reply. */
  #deflate(): void {
    const { compress } = this.#options
    this.#compressing = false
    if (compress === undefined) {
      this.broken('compression-failed', new Error('compression was asked for but is not set up'))
      return
    }
    this.#connection.release(NOTHING)
    this.#connection = compress(this.#connection)
    this.#outbox.connection = this.#connection
    this.#connection.open(this)
  }

  async #handshake(): Promise<void> {
    const { identity } = this.#options
    const connection = this.#connection
    this.#phase = 'handshake'
    this.#owed.drained = false
    try {
      if (!identity) throw new Error('TLS was asked for but is not set up')
      const tls = await connection.secure(identity())
      if (this.#phase !== 'handshake') return
      this.#phase = 'open'
      this.#input(secured, tls)
    } catch (error) {
      this.broken('tls-failed', error)
    }
  }

  /** Stops reading where what is read could only pile up; what follows our end is thrown away. */
  #regulate(): void {
    const most = this.#options.backlogMaxOctets ?? 65536
    const stuck = this.#asks || !this.#outbox.idle
    const pause =
      this.#held !== undefined ||
      this.#phase === 'securing' ||
      this.#phase === 'handshake' ||
      this.#phase === 'leaving' ||
      (this.#phase === 'open' &&
        (this.#contentOpen > 0 ||
          this.#pace.waits ||
          this.#outbox.queuedOctets > most ||
          (stuck && this.#session.backlogOctets > most)))
    if (pause === this.#paused) return
    this.#paused = pause
    if (pause) this.#connection.pause()
    else this.#connection.resume()
  }

  /** States what is waited for: the peer's end, the peer to read, or the peer's next step. */
  #watch(): void {
    const { lingerMs = 10_000, stallMs = 300_000, stallOctets = 1 } = this.#options
    const outbox = this.#outbox
    if (this.#phase === 'ending') this.#deadline.wait('end', 0, lingerMs)
    else if (!outbox.idle) {
      this.#deadline.wait('output', Math.floor(outbox.progress / stallOctets), stallMs)
    } else {
      // The TLS handshake has a limit of its own, in the adapter.
      const patienceMs = this.#phase === 'open' ? this.#session.patienceMs : 0
      this.#deadline.wait('step', this.#session.step, patienceMs)
    }
  }

  late(): void {
    if (this.#phase === 'ending') this.#connection.destroy()
    else if (this.#outbox.idle) this.#input(expire, undefined)
    else this.broken('peer-stalled', new Error('the peer does not read what it asked for'))
  }
}
