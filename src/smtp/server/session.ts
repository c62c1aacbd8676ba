/**
 * The SMTP and LMTP server session (RFC 5321, RFC 2033): the synchronous machine of wire/effect.ts.
 * It gives octets to whoever waits for them: the command reader, an AUTH exchange, or
 * the content of a message. The verbs are in verb/, their order in state.ts, their words in replies.ts.
 * The pump makes one for each connection. It never throws, whatever a peer sends.
 */
import type { Reply } from '../../mail/status.ts'
import { serverMechanism } from '../../sasl/registry.ts'
import type { Endpoint, Session, Sink, TlsFacts } from '../../wire/effect.ts'
import { Octets } from '../../wire/octets.ts'
import { replies } from '../replies.ts'
import { CommandReader } from './command.ts'
import { type Ahead, Conversation, type FindMechanism } from './conversation.ts'
import type { Answer, Question, ServerEvent, SessionSettings } from './question.ts'
import { misuse } from './state.ts'
import type { Resumed, Turn, Wait } from './turn.ts'
import { greeting } from './verb/greeting.ts'

/** So much content moves the deadline on (RFC 5321 §4.5.3.2.5 speaks of a block of it). */
const CONTENT_STEP_OCTETS = 16_384

/**
 * While replies of so many octets have not left, no command is carried out: six octets of HELP get a thousand,
 * and a peer need not read any of them.
 */
const OUTSTANDING_MAX_OCTETS = 65_536

/**
 * How long the rest of a line may take that has come up to a lone LF. It is no line end (§2.3.8), but
 * who takes it for one would wait for minutes: so the line is refused, not left hanging.
 */
const STUCK_MS = 2_000

/** How long who was greeted with 554 may take to say QUIT: he is owed the reply, not the connection. */
const BARRED_MS = 30_000

export class ServerSession implements Session<Answer, ServerEvent>, Ahead {
  readonly #conversation: Conversation
  readonly #input = new Octets()
  readonly #commands: CommandReader
  /** The command at work, and what it waits for. */
  #turn: Turn | undefined
  #wait: Wait | undefined
  #step = 0
  #contentOctets = 0
  #ended = false
  #shutdown = false
  /** Why policy has had enough of the peer. */
  #dismissed: string | undefined
  #stuck = false
  /** The step that began with a lone LF: a line that crawls from LF to LF gains no time. */
  #stuckStep = -1

  constructor(
    sink: Sink<Question, Answer>,
    settings: SessionSettings,
    ends: { readonly remote: Endpoint; readonly local: Endpoint },
    tls?: TlsFacts,
    mechanism: FindMechanism = serverMechanism,
  ) {
    this.#conversation = new Conversation(sink, this, settings, ends, tls, mechanism)
    this.#commands = new CommandReader(this.#input, this.#conversation)
  }

  nextRcpt(): string | Reply | undefined {
    return this.#commands.nextRcpt()
  }

  pipelined(): boolean {
    return this.#input.length > 0 || this.#ended
  }

  start(): void {
    this.#begin(greeting(this.#conversation))
    this.#drive()
  }

  receive(octets: Uint8Array): void {
    // Plaintext between STARTTLS and TLS is not ours to read (RFC 3207 §4.2).
    if (this.#conversation.closed || this.#wait === 'tls') return
    this.#input.push(octets)
    this.#drive()
    this.#input.keep()
  }

  answer(answer: Answer): void {
    if (this.#conversation.closed || this.#wait !== 'answer') return
    this.#resume(answer)
    this.#drive()
  }

  secured(tls: TlsFacts): void {
    if (this.#conversation.closed || this.#wait !== 'tls') return
    this.#conversation.secured(tls)
    this.#resume(undefined)
    this.#drive()
  }

  drained(): void {
    const waited = this.#isFull()
    this.#conversation.outstandingOctets = 0
    if (waited) this.#drive()
  }

  tell(event: ServerEvent): void {
    if (event.kind === 'shutdown') this.#shutdown = true
    else this.#dismissed = event.why
    this.#leaveIfDismissed()
    this.#leaveOnShutdown()
    if (event.kind === 'shutdown' && event.last) this.#interrupt(replies.shutdown(this.#hostname))
  }

  expire(): void {
    if (this.#conversation.closed || this.#wait === 'answer') return
    if (this.#stuck) this.#refuseUnended()
    else this.#interrupt(replies.timeout(this.#hostname))
  }

  /** Wherever the peer stands; but who waits for an answer must not hear what may turn out not to be so. */
  #interrupt(last: Reply): void {
    if (this.#conversation.closed || this.#wait === 'answer') return
    this.#conversation.close(this.#wait === 'tls' ? undefined : last, true)
    this.#input.clear()
  }

  end(): void {
    this.#ended = true
    this.#drive()
  }

  get patienceMs(): number {
    const { commandTimeoutMs, dataTimeoutMs } = this.#conversation.settings
    if (this.#conversation.closed || this.#wait === 'answer') return 0
    if (this.#stuck) return Math.min(STUCK_MS, commandTimeoutMs)
    if (this.#conversation.state === 'barred') return Math.min(BARRED_MS, commandTimeoutMs)
    return this.#wait === 'content' || this.#wait === 'chunk' ? dataTimeoutMs : commandTimeoutMs
  }

  get step(): number {
    return this.#step
  }

  get backlogOctets(): number {
    return this.#input.length
  }

  #isFull(): boolean {
    return this.#conversation.outstandingOctets > OUTSTANDING_MAX_OCTETS
  }

  get #contentStep(): number {
    return this.#conversation.settings.contentStepOctets ?? CONTENT_STEP_OCTETS
  }

  get #hostname(): string {
    return this.#conversation.settings.hostname
  }

  /** Uses up the input as far as it goes. */
  #drive(): void {
    const conversation = this.#conversation
    while (!conversation.closed && this.#feed()) {
      // Each round takes a command, a line or content; the last one finds too little input.
    }
    this.#noteStuck()
    // A peer that will send no more has nothing to finish what is unfinished.
    const over = this.#ended && this.#wait !== 'answer' && !this.#isFull()
    if (over) conversation.close(undefined, true)
    if (conversation.closed) this.#input.clear()
  }

  /** Starts the short wait for the rest of a line, once for each line. */
  #noteStuck(): void {
    const reads = this.#wait === undefined || this.#wait === 'line'
    const stuck = reads && !this.#isFull() && !this.#conversation.closed && this.#commands.stuck
    if (stuck && this.#step !== this.#stuckStep) this.#stuckStep = ++this.#step
    this.#stuck = stuck
  }

  /** RFC 5321 §2.3.8: a line that only LF has ended is refused whole; nothing of it is carried out. */
  #refuseUnended(): void {
    this.#commands.forget()
    this.#stuck = false
    if (this.#wait === 'line') this.#resume({ kind: 'response', text: '\n' })
    else {
      this.#conversation.reply(replies.badOctets)
      this.#turnOver()
    }
  }

  /** Gives input to who waits for it; false where there is too little of it. */
  #feed(): boolean {
    switch (this.#wait) {
      case undefined:
        return !this.#isFull() && this.#command()
      case 'line':
        return !this.#isFull() && this.#response()
      case 'content':
      case 'chunk':
        return this.#content(this.#wait)
      case 'answer':
      case 'tls':
        return false
    }
  }

  #command(): boolean {
    const conversation = this.#conversation
    const command = this.#commands.next()
    if (command === undefined) {
      if (this.#commands.endless) conversation.close(replies.lineWithoutEnd(this.#hostname))
      return false
    }
    if (command.kind === 'http') {
      conversation.close(replies.notSmtp(this.#hostname))
      return false
    }
    if (command.kind === 'fault') {
      conversation.reply(command.reply)
      this.#turnOver()
      return true
    }
    const { verb, row, argument } = command
    conversation.sink.note?.('command')
    const wrong = row.ordersItself ? undefined : misuse(conversation.state, verb)
    const { settings, peer } = conversation
    if (wrong !== undefined) {
      const none = wrong === 'needsRecipient' && settings.protocol === 'smtp'
      conversation.reply(none ? replies.noValidRecipients : replies[wrong])
    } else if (row.login && settings.requireAuth && peer.account === undefined) {
      conversation.reply(replies.loginNeeded)
    } else {
      const turn = row.run(conversation, argument)
      if (turn !== undefined) {
        this.#begin(turn)
        return true
      }
    }
    this.#turnOver()
    return true
  }

  #response(): boolean {
    const line = this.#commands.response()
    if (line === undefined) {
      if (this.#commands.endless) {
        this.#conversation.close(replies.lineWithoutEnd(this.#hostname))
      }
      return false
    }
    this.#step += 1
    this.#resume(line)
    return true
  }

  /** Content goes on as views of the input: nothing is kept or copied. */
  #content(wait: 'content' | 'chunk'): boolean {
    const { buffer, from, to } = this.#input
    const incoming = this.#conversation.incoming
    if (incoming === undefined || from === to) return false
    let end = to
    let complete = false
    if (wait === 'chunk') {
      end = Math.min(to, from + incoming.chunkLeft)
      incoming.chunk(buffer, from, end)
      complete = incoming.chunkLeft === 0
    } else {
      const found = incoming.scan(buffer, from, to)
      complete = found >= 0
      if (complete) end = found
    }
    this.#input.consume(end - from)
    this.#contentOctets += end - from
    if (this.#contentOctets >= this.#contentStep) {
      this.#contentOctets = 0
      this.#step += 1
    }
    if (complete) this.#resume(undefined)
    return complete
  }

  #begin(turn: Turn): void {
    this.#turn = turn
    this.#resume(undefined)
  }

  /** Lets the turn go on until it is over or waits again. */
  #resume(value: Resumed): void {
    const next = this.#turn?.next(value)
    if (next === undefined || next.done) {
      this.#turn = undefined
      this.#wait = undefined
      this.#turnOver()
      return
    }
    this.#wait = next.value
    this.#contentOctets = 0
    if (this.#wait === 'answer' || this.#wait === 'line') return
    this.#step += 1
    if (this.#wait === 'tls' && !this.#conversation.closed) {
      this.#input.clear()
      this.#conversation.sink.secure()
    }
  }

  #turnOver(): void {
    this.#step += 1
    const conversation = this.#conversation
    if (conversation.erroneous) conversation.close(replies.tooManyErrors(this.#hostname))
    else if (conversation.guessing) conversation.close(replies.tooManyLogins(this.#hostname))
    this.#leaveIfDismissed()
    this.#leaveOnShutdown()
  }

  /** Between two commands there is always room for a 421 (RFC 5321 §3.8), whatever was begun. */
  #leaveIfDismissed(): void {
    if (this.#dismissed === undefined || this.#turn !== undefined) return
    this.#conversation.close(replies.dismissed(this.#hostname, this.#dismissed))
    this.#input.clear()
  }

  /** RFC 5321 §3.8: a server that must stop says 421, but not in the middle of a transaction. */
  #leaveOnShutdown(): void {
    if (!this.#shutdown || this.#turn !== undefined) return
    if (this.#conversation.transaction !== undefined) return
    this.#conversation.close(replies.shutdown(this.#hostname))
    this.#input.clear()
  }
}
