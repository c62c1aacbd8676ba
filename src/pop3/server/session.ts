/**
 * The server's side of POP3 (RFC 1939) as a synchronous state machine. world/pump.ts joins it to a
 * connection and to the role that answers its questions (question.ts). It reads a line, looks its
 * verb up in `legality`, runs the verb's generator until it waits, and goes where the table says.
 *
 * It holds no message, no more input than one pump's backlog, and lets no more than 64 KB of replies
 * pile up: pipelined commands (RFC 2449 §6.6) wait while what was said before leaves.
 */
import { dotStuffing } from '../../wire/dot.ts'
import type { Session, Sink, Source, TlsFacts } from '../../wire/effect.ts'
import { LineReader, type LineState } from '../../wire/line.ts'
import { Octets } from '../../wire/octets.ts'
import {
  COMMAND_MAX_OCTETS,
  mayBeLong,
  parseCommand,
  SASL_LINE_MAX_OCTETS,
  type VerbName,
} from '../command.ts'
import { err, ok, replies } from '../reply.ts'
import { Maildrop } from './maildrop.ts'
import type { Answer, Peer, Question, ServerEvent, SessionSettings } from './question.ts'
import { legality, type State } from './state.ts'
import { ask, type Input, type Step, type Turn } from './turn.ts'
import { update } from './verb/quit.ts'
import { verbs } from './verbs.ts'

/** Replies that may wait to leave before the next command is read; content up to this is sent whole. */
const OUTSTANDING_MAX_OCTETS = 65_536
/** Counted for each command beside what it says: behind some sixty of them others get their turn. */
const COMMAND_COSTS_OCTETS = 1024
/** How much of a line that does not end is thrown away before we hang up. */
const DROPPED_MAX_OCTETS = 65_536

const empty = new Maildrop({ uidValidity: 0, uids: [], sizes: [] })

/** What is waited for: a command, a line of a SASL exchange, policy, the transport, TLS, nothing. */
type Phase = 'command' | 'line' | 'answer' | 'output' | 'tls' | 'over'

export class ServerSession implements Session<Answer, ServerEvent>, Turn {
  readonly settings: SessionSettings
  peer: Peer
  state: State = 'authorization'
  user: string | undefined
  utf8 = false
  timestamp: string | undefined
  maildrop: Maildrop = empty
  step = 0
  readonly #sink: Sink<Question, Answer>
  readonly #input = new Octets()
  readonly #lines = new LineReader(this.#input, true)
  #phase: Phase = 'answer'
  #running: Generator<Step, boolean, Input> | undefined
  /** The verb that runs; undefined for the greeting and for UPDATE. */
  #verb: VerbName | undefined
  #outstandingOctets = 0
  #streaming = false
  #securing = false
  #shutdown = false
  #refused = false
  #dismissed: string | undefined
  #errors = 0
  #loginFailures = 0

  constructor(sink: Sink<Question, Answer>, settings: SessionSettings, peer: Peer) {
    this.#sink = sink
    this.settings = settings
    this.peer = peer
  }

  get patienceMs(): number {
    if (this.#phase === 'answer' || this.#phase === 'over') return 0
    return this.state === 'authorization'
      ? this.settings.loginTimeoutMs
      : this.settings.idleTimeoutMs
  }

  get backlogOctets(): number {
    return this.#input.length
  }

  start(): void {
    this.#run(undefined, this.#greet())
    this.#read()
  }

  receive(octets: Uint8Array): void {
    if (this.#phase === 'over' || this.#phase === 'tls') return
    this.#input.push(octets)
    this.#read()
    this.#input.keep()
  }

  answer(answer: Answer): void {
    if (this.#phase !== 'answer') return
    this.step++
    this.#resume(answer)
    this.#read()
  }

  /** RFC 2595 §4: the server discards what it learned before; the state is AUTHORIZATION still. */
  secured(tls: TlsFacts): void {
    if (this.#phase !== 'tls') return
    this.peer = { ...this.peer, tls }
    this.user = undefined
    this.utf8 = false
    this.step++
    this.#phase = 'command'
  }

  drained(): void {
    this.#outstandingOctets = 0
    this.#streaming = false
    if (this.#phase === 'output') {
      this.step++
      this.#phase = 'command'
      if (this.#shutdown) this.#sayShutdown()
      else if (this.#dismissed !== undefined) this.#sayDismissed(this.#dismissed)
    }
    this.#read()
  }

  tell(event: ServerEvent): void {
    switch (event.kind) {
      case 'shutdown':
        this.#shutdown = true
        if (this.#phase === 'command' || this.#phase === 'line') this.#sayShutdown()
        return
      case 'dismissed':
        this.#dismissed = event.why
        if (this.#phase === 'command' || this.#phase === 'line') this.#sayDismissed(event.why)
    }
  }

  /** RFC 1939 §3: the connection closes without UPDATE and without a word. */
  expire(): void {
    this.#close()
  }

  end(): void {
    if (this.#phase === 'command' || this.#phase === 'line') this.#close()
  }

  send(output: string | Uint8Array): void {
    this.#outstandingOctets += output.length
    this.#sink.send(output)
  }

  stream(source: Source): void {
    this.#streaming = true
    this.#sink.stream(source)
  }

  stuff(content: Source): void {
    const stuffing = dotStuffing('keep')
    if (content instanceof Uint8Array && content.length <= OUTSTANDING_MAX_OCTETS) {
      this.send(stuffing.push(content))
      this.send(stuffing.end())
    } else {
      this.#streaming = true
      this.#sink.stream(content, stuffing)
    }
  }

  refuse(reply: string): false {
    this.#refused = true
    // What is about us (RFC 3206 §4) or about another session is no mistake of this one.
    if (!/^-ERR \[(?:SYS|IN-USE|LOGIN)/.test(reply)) this.#sink.note?.('mistake')
    this.send(reply)
    return false
  }

  denied(reply: string): false {
    this.#loginFailures++
    return this.refuse(reply)
  }

  enter(peer: Peer, maildrop: Maildrop): void {
    this.peer = peer
    this.maildrop = maildrop
  }

  secure(): void {
    this.#input.clear()
    this.#securing = true
  }

  *#greet(): Generator<Step, boolean, Input> {
    const { hostname, implementation } = this.settings
    const answer = yield* ask<'connect'>({ kind: 'connect', peer: this.peer })
    if (answer.kind === 'refused') {
      this.send(err(answer.why, answer.code))
      this.state = 'over'
      return false
    }
    // A timestamp in angle brackets announces APOP (RFC 1939 §7): another one for each connection.
    if (this.settings.apop)
      this.timestamp = `<${Buffer.from(this.settings.chance(16)).toString('hex')}@${hostname}>`
    const mark = this.timestamp === undefined ? '' : ` ${this.timestamp}`
    this.send(ok(`${hostname} ${implementation} ready${mark}`))
    return true
  }

  /** Takes lines for as long as there are any and nothing has to be waited for. */
  #read(): void {
    while (this.#phase === 'command' || this.#phase === 'line') {
      if (this.#outstandingOctets > OUTSTANDING_MAX_OCTETS) return
      const inLine = this.#phase === 'line'
      const found = this.#lines.next(SASL_LINE_MAX_OCTETS)
      if (found === 'more') {
        if (this.#lines.droppedOctets <= DROPPED_MAX_OCTETS) return
        this.send(replies.overlong)
        this.#close()
      } else if (inLine) {
        const text = this.#lines.text
        this.#resume(found === 'line' ? { kind: 'line', text } : { kind: 'overlong' })
      } else this.#command(found)
    }
  }

  #command(found: Exclude<LineState, 'more'>): void {
    if (this.state !== 'authorization') this.step++
    this.#sink.note?.('command')
    this.#outstandingOctets += COMMAND_COSTS_OCTETS
    const { text, octets } = this.#lines
    const fits = found === 'line' && (octets <= COMMAND_MAX_OCTETS || mayBeLong(text))
    const command = fits ? parseCommand(text) : undefined
    if (command?.kind === 'command') {
      const { verb, argument } = command
      if (legality[verb][this.state] !== undefined) {
        this.#run(verb, verbs[verb](this, argument))
        return
      }
    }
    this.user = undefined
    this.refuse(
      command === undefined
        ? replies.overlong
        : command.kind === 'unknown'
          ? replies.unknown
          : command.kind === 'garbled'
            ? replies.garbled
            : replies.illegal,
    )
    this.#settle()
  }

  #run(verb: VerbName | undefined, generator: Generator<Step, boolean, Input>): void {
    this.#verb = verb
    this.#running = generator
    this.#resume()
  }

  /** Runs the present verb until it waits or ends. */
  #resume(input?: Input): void {
    const running = this.#running
    if (running === undefined) return
    // The first `next` of a generator takes no value; the type has no way to say so.
    let step =
      input === undefined ? running.next(...([] as unknown as [Input])) : running.next(input)
    while (step.done !== true) {
      if (step.value.kind === 'line') {
        this.#phase = 'line'
        return
      }
      const answer = this.#sink.ask(step.value.question)
      if (answer === undefined) {
        this.#phase = 'answer'
        return
      }
      step = running.next(answer)
    }
    this.#finish(step.value)
  }

  /** A verb has ended: go where the table says. */
  #finish(succeeded: boolean): void {
    this.#running = undefined
    if (this.#verb !== 'USER') this.user = undefined
    if (this.state === 'update') this.state = 'over'
    else if (succeeded && this.#verb !== undefined) {
      const before = this.state
      this.state = legality[this.#verb][before] ?? before
      if (this.state !== before) this.step++
      if (this.state === 'update') {
        this.#run(undefined, update(this))
        return
      }
    }
    this.#settle()
  }

  /** What is waited for behind a reply. */
  #settle(): void {
    this.#errors = this.#refused ? this.#errors + 1 : 0
    this.#refused = false
    const { errorsMax, loginFailuresMax } = this.settings
    const hopeless = this.#errors >= errorsMax || this.#loginFailures >= loginFailuresMax
    if (this.state === 'over' || hopeless) this.#close()
    else if (this.#securing) {
      this.#securing = false
      this.#phase = 'tls'
      this.#sink.secure()
    } else if (this.#streaming) this.#phase = 'output'
    else if (this.#shutdown) this.#sayShutdown()
    else if (this.#dismissed !== undefined) this.#sayDismissed(this.#dismissed)
    else this.#phase = 'command'
  }

  #sayDismissed(why: string): void {
    this.send(err(why, 'SYS/TEMP'))
    this.#close()
  }

  /** Read by the client as the answer to its next command, which we shall not take. */
  #sayShutdown(): void {
    this.send(replies.shuttingDown)
    this.#close()
  }

  #close(): void {
    if (this.#phase === 'over') return
    this.#phase = 'over'
    this.#running = undefined
    this.#input.clear()
    this.#sink.close()
  }
}
