/**
 * The server's side of MTQP (RFC 3887) as a synchronous state machine: reads a line, asks policy where it is
 * TRACK, replies in order. world/pump.ts joins it to a connection. It holds one line and one answer at a
 * time: pipelined commands (§8) wait until what was said before has left.
 */
import { dotStuffing } from '../../wire/dot.ts'
import type { Session, Sink, TlsFacts } from '../../wire/effect.ts'
import { LineReader } from '../../wire/line.ts'
import { Octets } from '../../wire/octets.ts'
import { type Command, LINE_MAX_OCTETS, parseCommand } from '../command.ts'
import { type Indicator, type Reason, reply } from '../reply.ts'
import type { Answer, Peer, Question, ServerEvent, SessionSettings } from './question.ts'

/** How much of a line that does not end is thrown away before we hang up. */
const DROPPED_MAX_OCTETS = 65_536

/** What is waited for: a command, policy, what was said to leave, TLS, nothing. */
type Phase = 'command' | 'answer' | 'output' | 'tls' | 'over'

export class ServerSession implements Session<Answer, ServerEvent> {
  step = 0
  readonly #settings: SessionSettings
  readonly #sink: Sink<Question, Answer>
  readonly #input = new Octets()
  readonly #lines = new LineReader(this.#input, true)
  #peer: Peer
  #phase: Phase = 'answer'
  #errors = 0
  /** Why the session is to end: we are going, or policy has had enough. */
  #leaving: string | undefined
  #ended = false

  constructor(sink: Sink<Question, Answer>, settings: SessionSettings, peer: Peer) {
    this.#sink = sink
    this.#settings = settings
    this.#peer = peer
  }

  get patienceMs(): number {
    return this.#phase === 'answer' || this.#phase === 'over' ? 0 : this.#settings.idleTimeoutMs
  }

  get backlogOctets(): number {
    return this.#input.length
  }

  start(): void {
    this.#ask({ kind: 'connect', peer: this.#peer })
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
    this.#heard(answer)
    this.#read()
  }

  /** §6.2: as if the connection had just begun; what was learned before is forgotten. */
  secured(tls: TlsFacts): void {
    if (this.#phase !== 'tls') return
    this.#peer = { ...this.#peer, tls }
    this.step++
    this.#greet()
  }

  drained(): void {
    if (this.#phase !== 'output') return
    this.#phase = 'command'
    this.#read()
  }

  tell(event: ServerEvent): void {
    this.#leaving = event.kind === 'shutdown' ? 'shutting down' : event.why
    if (this.#phase === 'command') this.#leave()
  }

  expire(): void {
    this.#close()
  }

  end(): void {
    this.#ended = true
    if (this.#phase === 'command') this.#close()
  }

  #read(): void {
    while (this.#phase === 'command') {
      if (this.#leaving !== undefined) {
        this.#leave()
        return
      }
      const found = this.#lines.next(LINE_MAX_OCTETS)
      if (found === 'more') {
        if (this.#lines.droppedOctets > DROPPED_MAX_OCTETS || this.#ended) this.#close()
        return
      }
      this.step++
      this.#sink.note?.('command')
      if (found === 'overlong') this.#wrong('-BAD', 'the line is too long')
      else this.#run(parseCommand(this.#lines.text))
    }
  }

  #run(command: Command): void {
    switch (command.kind) {
      case 'track': {
        const { envelopeId, secret } = command
        this.#ask({ kind: 'track', peer: this.#peer, envelopeId, secret })
        return
      }
      case 'starttls':
        this.#startTls(command.domain)
        return
      case 'comment':
        this.#say('+OK', 'noted')
        return
      case 'quit':
        this.#say('+OK', `${this.#settings.hostname} closing connection`)
        this.#close()
        return
      case 'bad':
        // §2.3: what is unknown or malformed is -BAD; whatever comes behind it is read as usual.
        this.#wrong('-BAD', command.why)
    }
  }

  /** §6: the name is the client's idea of whom it talks to, and our certificate must have it. */
  #startTls(domain: string): void {
    if (this.#peer.tls) this.#wrong('-BAD', 'TLS is on already', 'tls-in-progress')
    else if (!this.#settings.startTls) this.#wrong('-ERR', 'no TLS here', 'unsupported')
    else if (!this.#settings.isOurs(domain)) this.#wrong('-BAD', 'not a name of ours', 'bad-fqdn')
    else {
      this.#say('+OK', 'begin TLS')
      // §8: nothing may stand behind it; what does was not said under TLS.
      this.#input.clear()
      this.#phase = 'tls'
      this.#sink.secure()
    }
  }

  #ask(question: Question): void {
    this.#phase = 'answer'
    const answer = this.#sink.ask(question)
    if (answer !== undefined) this.#heard(answer)
  }

  #heard(answer: Answer): void {
    this.step++
    this.#phase = 'command'
    switch (answer.kind) {
      case 'welcome':
        this.#greet()
        return
      case 'refused':
        this.#say('-TEMP', answer.why, 'MTQP', 'unavailable')
        this.#close()
        return
      case 'found': {
        this.#say('+OK+', 'Tracking information follows')
        const stuffing = dotStuffing()
        this.#sink.send(stuffing.push(answer.part))
        this.#sink.send(stuffing.end())
        this.#phase = 'output'
        return
      }
      case 'unknown':
        this.#wrong('-ERR', 'no information on such a message', 'noinfo')
        return
      case 'unavailable':
        this.#say('-TEMP', answer.why, 'unavailable')
    }
  }

  /** §3: the options, one a line; STARTTLS only in the clear. */
  #greet(): void {
    this.#phase = 'command'
    const text = `${this.#settings.hostname} MTQP server ready`
    if (!this.#settings.startTls || this.#peer.tls) this.#say('+OK', text, 'MTQP')
    else {
      this.#say('+OK+', text, 'MTQP')
      this.#sink.send('STARTTLS\r\n.\r\n')
    }
  }

  #say(indicator: Indicator, text: string, ...reasons: readonly Reason[]): void {
    this.#sink.send(reply(indicator, text, ...reasons))
  }

  #wrong(indicator: Indicator, text: string, ...reasons: readonly Reason[]): void {
    this.#say(indicator, text, ...reasons)
    this.#sink.note?.('mistake')
    if (++this.#errors >= this.#settings.errorsMax) this.#close()
  }

  #leave(): void {
    this.#say('-TEMP', this.#leaving ?? 'closing', 'unavailable')
    this.#close()
  }

  #close(): void {
    if (this.#phase === 'over') return
    this.#phase = 'over'
    this.#input.clear()
    this.#sink.close()
  }
}
