/**
 * The server's side of IMAP4rev2 and IMAP4rev1 (RFC 9051, RFC 3501) as a synchronous state machine.
 * world/pump.ts joins it to a connection and to the role that answers its questions (question.ts). It
 * gathers a command from its lines and literals (gather.ts), looks it up, runs its generator until it
 * waits, and tells what happened in the mailbox before the tagged answer.
 *
 * It holds no message: APPEND's octets pass through as content, FETCH's as streams. Input is bounded by
 * gather.ts, output by waiting where much is unread. It never throws, whatever a client sends.
 */
import type { Session, Sink, Source, TlsFacts } from '../../wire/effect.ts'
import { Octets } from '../../wire/octets.ts'
import type { Cursor } from '../cursor.ts'
import { formatTag } from '../encode.ts'
import { tellUnasked, tellWatched } from './command/notify.ts'
import { type CommandName, type CommandRow, commands } from './commands.ts'
import type { Context } from './context.ts'
import { type Gathered, Gatherer } from './gather.ts'
import { greeting } from './greeting.ts'
import { tellNews } from './news.ts'
import * as phase from './phase.ts'
import type { Answer, Peer, Question, ServerEvent, SessionSettings } from './question.ts'
import { legality, type State } from './state.ts'
import {
  bad,
  type Enabled,
  type Input,
  nothingEnabled,
  printable,
  type Result,
  type Running,
  type Step,
  type Turn,
} from './turn.ts'
import type { View } from './view.ts'
import type { Watched } from './watched.ts'

export class ServerSession implements Session<Answer, ServerEvent>, Turn {
  readonly settings: SessionSettings
  enabled: Enabled = nothingEnabled()
  peer: Peer
  state: State = 'not authenticated'
  view: View | undefined
  watched: Watched | undefined
  contexts: readonly Context[] = []
  saved: readonly number[] = []
  compression: 'off' | 'begins' | 'on' = 'off'
  tag = ''
  step = 0
  readonly #sink: Sink<Question, Answer>
  readonly #input = new Octets()
  readonly #gatherer: Gatherer
  #phase: phase.Phase = 'answer'
  #running: Running<boolean> | undefined
  #contentLeft = 0
  #contentOctets = 0
  #swallow = false
  #nul = false
  #outstandingOctets = 0
  #changed = false
  #securing = false
  /** Why it is to end: we are going, or policy has had enough of the client. */
  #leaving: string | undefined
  #badInRow = 0
  #loginFailures = 0

  constructor(sink: Sink<Question, Answer>, settings: SessionSettings, peer: Peer) {
    this.#sink = sink
    this.settings = settings
    this.peer = peer
    this.#gatherer = new Gatherer(this.#input)
  }

  get patienceMs(): number {
    if (this.#phase === 'over') return 0
    // RFC 9585: a client that waits hears that its command is still at work.
    if (this.#phase === 'answer') return this.#atWork ? phase.PROGRESS_MS : 0
    return this.state === 'not authenticated'
      ? this.settings.loginTimeoutMs
      : this.settings.idleTimeoutMs
  }

  get backlogOctets(): number {
    return this.#input.length
  }

  get full(): boolean {
    return this.#outstandingOctets > phase.OUTSTANDING_MAX_OCTETS
  }

  start(): void {
    this.#begin(greeting(this))
    this.#drive()
  }

  receive(octets: Uint8Array): void {
    if (this.#phase === 'over' || this.#phase === 'tls') return
    this.#input.push(octets)
    this.#drive()
    this.#input.keep()
  }

  answer(answer: Answer): void {
    if (this.#phase !== 'answer') return
    this.step++
    this.#resume(answer)
    this.#drive()
  }

  /** RFC 9051 §6.2.1: what was learned before is discarded. */
  secured(tls: TlsFacts): void {
    if (this.#phase !== 'tls') return
    this.peer = { remote: this.peer.remote, local: this.peer.local, tls }
    this.step++
    this.#phase = 'command'
  }

  drained(): void {
    this.#outstandingOctets = 0
    if (this.#phase === 'output') {
      this.step++
      this.#resume(undefined)
    }
    this.#drive()
  }

  tell(event: ServerEvent): void {
    if (event.kind !== 'changed') {
      this.#leaving ??= event.kind === 'shutdown' ? 'shutting down' : event.why
      if (this.#phase === 'command' || this.#phase.startsWith('line')) this.#sayBye(this.#leaving)
      return
    }
    this.#changed = true
    if (this.#phase === 'line or change') {
      this.#resume({ kind: 'changed' })
      this.#drive()
    } else if (this.#tellUnasked()) this.#drive()
  }

  /** RFC 5465 §1: it is told when it happens, without a command. */
  #tellUnasked(): boolean {
    const may = this.#phase === 'command' && this.watched !== undefined && !this.full
    if (!may || !this.#changed) return false
    this.#changed = false
    this.tag = ''
    this.#begin(tellUnasked(this))
    return true
  }

  expire(): void {
    if (this.#phase === 'answer') {
      this.step++
      this.send(`* OK [INPROGRESS (${formatTag(this.tag)} NIL NIL)] still at work\r\n`)
    } else if (this.#phase === 'output' || this.#phase === 'tls') this.#close()
    else this.#sayBye('nothing was said for too long')
  }

  end(): void {
    // An answer that is under way is still given; what is unfinished never comes.
    if (this.#phase !== 'answer' && this.#phase !== 'output') this.#close()
  }

  send(output: string | Uint8Array): void {
    this.#outstandingOctets += output.length
    this.#sink.send(typeof output === 'string' ? Buffer.from(output, 'latin1') : output)
  }

  stream(source: Source): void {
    this.#outstandingOctets += phase.OUTSTANDING_MAX_OCTETS + 1
    this.#sink.stream(source)
  }

  secure(): void {
    this.#input.clear()
    this.#securing = true
  }

  compress(): boolean {
    if (this.compression !== 'off') return false
    this.#input.clear()
    this.compression = 'begins'
    return true
  }

  /** RFC 7162 §3.1.2.1: a client that has a mailbox open is told from where to count. */
  condstore(): void {
    if (this.enabled.condstore) return
    this.enabled.condstore = true
    if (this.view !== undefined) {
      this.send(`* OK [HIGHESTMODSEQ ${this.view.settledModSeq}] CONDSTORE is on\r\n`)
    }
  }

  denied(): void {
    this.#loginFailures++
    this.#sink.note?.('mistake')
  }

  // The machine.

  /** A command waits for policy, and the client may be told so. */
  get #atWork(): boolean {
    return this.state !== 'not authenticated' && this.tag !== ''
  }

  /** Uses up the input as far as it goes. */
  #drive(): void {
    while (this.#feed()) {
      // Each round takes a command, a line or content; the last one finds too little input.
    }
    if (this.#phase === 'over') this.#input.clear()
  }

  #feed(): boolean {
    switch (this.#phase) {
      case 'command':
        if (this.full) return false
        return this.#take(this.#gatherer.command(this.state))
      case 'line':
      case 'line or change': {
        const found = this.#gatherer.line()
        if (found === 'more') return this.#hopeless()
        this.step++
        this.#resume(found)
        return true
      }
      case 'content':
        return this.#content()
      default:
        return false
    }
  }

  #hopeless(): boolean {
    if (this.#gatherer.endless) this.#sayBye('the line does not end')
    return false
  }

  #take(found: Gathered): boolean {
    switch (found.kind) {
      case 'more':
        return this.#hopeless()
      case 'continue':
        this.step++
        this.send('+ go on\r\n')
        return true
      case 'hang up':
        this.#sayBye(found.why)
        return false
      case 'fault':
        this.#conclude(found.tag, found.result)
        return true
      case 'command':
        this.step++
        this.#sink.note?.('command')
        this.#outstandingOctets += phase.COMMAND_COSTS_OCTETS
        this.#command(found.tag, found.name, found.cursor)
        return true
    }
  }

  #command(tag: string, name: CommandName, cursor: Cursor): void {
    if (!legality[name].includes(this.state)) {
      this.#conclude(tag, bad(`${name} is not for the state '${this.state}'`))
      return
    }
    const row: CommandRow = commands[name]
    if (this.enabled.uidOnly && row.byNumber) {
      this.#conclude(tag, bad('say it by UID', 'UIDREQUIRED'))
    } else this.#begin(this.#carryOut(tag, name, cursor))
  }

  /** A command from its arguments to its tagged answer. */
  *#carryOut(tag: string, name: CommandName, cursor: Cursor): Running<boolean> {
    const row: CommandRow = commands[name]
    this.tag = tag
    const result = yield* row.run(this, cursor)
    // Updates go before the tagged answer (RFC 9051 §5.2), unless numbers are in use.
    const changed = this.#changed
    this.#changed = false
    if (this.view !== undefined && (changed || this.view.hasNews(row.expunges))) {
      yield* tellNews(this, row.expunges)
    }
    if (changed) yield* tellWatched(this)
    this.#answerTagged(tag, result)
    return true
  }

  #conclude(tag: string, result: Result): void {
    this.#answerTagged(tag, result)
    this.#settle()
  }

  #answerTagged(tag: string, { kind, code, text }: Result): void {
    this.#badInRow = kind === 'BAD' ? this.#badInRow + 1 : 0
    if (kind === 'BAD') this.#sink.note?.('mistake')
    this.send(`${tag} ${kind} ${code === undefined ? '' : `[${code}] `}${printable(text)}\r\n`)
  }

  #content(): boolean {
    const { buffer, from, to } = this.#input
    if (from === to) return false
    const end = Math.min(to, from + this.#contentLeft)
    if (!this.#swallow) {
      this.#nul ||= buffer.subarray(from, end).includes(0)
      this.#sink.content(buffer, from, end)
    }
    this.#contentLeft -= end - from
    this.#contentOctets += end - from
    this.#input.consume(end - from)
    if (this.#contentOctets >= (this.settings.contentStepOctets ?? phase.CONTENT_STEP_OCTETS)) {
      this.#contentOctets = 0
      this.step++
    }
    if (this.#contentLeft > 0) return false
    this.#resume({ kind: 'content', nul: this.#nul })
    return true
  }

  #begin(running: Running<boolean>): void {
    this.#running = running
    this.#resume(undefined)
  }

  /** Runs the present command until it waits or ends. */
  #resume(input: Input): void {
    let next = this.#running?.next(input)
    while (next !== undefined && next.done !== true) {
      const resumed = this.#waitFor(next.value)
      if (resumed === 'later') return
      next = this.#running?.next(resumed)
    }
    this.#running = undefined
    if (next?.value === false) this.#close()
    else this.#settle()
  }

  /** Starts to wait; gives what is known at once. */
  #waitFor(step: Step): Input | 'later' {
    switch (step.kind) {
      case 'ask': {
        const answer = this.#sink.ask(step.question)
        if (answer !== undefined) return answer
        this.#phase = 'answer'
        return 'later'
      }
      case 'content':
        this.#phase = 'content'
        this.#contentLeft = step.sizeOctets
        this.#contentOctets = 0
        this.#swallow = step.swallow
        this.#nul = false
        return 'later'
      case 'line or change':
        if (this.#changed) {
          this.#changed = false
          return { kind: 'changed' }
        }
        this.#phase = 'line or change'
        return 'later'
      case 'line':
      case 'output':
        this.#phase = step.kind
        return 'later'
    }
  }

  /** What is waited for behind an answer. */
  #settle(): void {
    const { errorsMax, loginFailuresMax } = this.settings
    if (this.#phase === 'over') return
    if (this.state === 'logout') this.#close()
    else if (this.#badInRow >= errorsMax) this.#sayBye('too many commands that are none')
    else if (this.#loginFailures >= loginFailuresMax) this.#sayBye('too many failed logins')
    else if (this.#securing) {
      this.#securing = false
      this.#phase = 'tls'
      this.#sink.secure()
    } else if (this.#leaving !== undefined) this.#sayBye(this.#leaving)
    else this.#phase = 'command'
    if (this.compression === 'begins' && this.#phase === 'command') {
      this.compression = 'on'
      this.#sink.compress()
    }
    this.#tellUnasked()
  }

  #sayBye(why: string): void {
    if (this.#phase === 'over') return
    this.send(`* BYE ${printable(why)}\r\n`)
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
