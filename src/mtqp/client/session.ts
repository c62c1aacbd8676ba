/**
 * The client's side of MTQP (RFC 3887) as a synchronous state machine: greets, secures the connection where
 * that is offered, asks one question and leaves. Joined to a connection by the command line's `track`. What
 * comes of it is told once.
 */

import { encodeBase64 } from '../../wire/base64.ts'
import type { Session, Sink, TlsFacts } from '../../wire/effect.ts'
import { LineReader } from '../../wire/line.ts'
import { Octets } from '../../wire/octets.ts'
import { encodeXtext } from '../../wire/xtext.ts'

/** §2.5: a server may ask others, and has two minutes for it. */
const PATIENCE_MS = 150_000
const LINE_MAX_OCTETS = 1_000
/** What an answer may hold; a server that says more is left. */
const ANSWER_MAX_OCTETS = 4 * 1024 * 1024

export interface TrackSettings {
  /** The name of the server: what its certificate must have. */
  readonly host: string
  readonly envelopeId: string
  readonly secret: Uint8Array
  /** Whether TLS is taken where it is offered. */
  readonly startTls: boolean
}

export type TrackResult =
  /** The MIME part as it came, lines with CRLF. */
  | { readonly kind: 'found'; readonly part: string }
  /** The server's own line. */
  | { readonly kind: 'refused'; readonly line: string }
  | { readonly kind: 'lost'; readonly why: string }

export type ClientQuestion = { readonly kind: 'result'; readonly result: TrackResult }
export type ClientAnswer = { readonly kind: 'noted' }
export type ClientEvent = { readonly kind: 'lost'; readonly why: string }

/** Which reply is waited for. */
type Phase = 'greeting' | 'starttls' | 'tls' | 'track' | 'over'

export class ClientSession implements Session<ClientAnswer, ClientEvent> {
  step = 0
  readonly patienceMs = PATIENCE_MS
  readonly #settings: TrackSettings
  readonly #sink: Sink<ClientQuestion, ClientAnswer>
  readonly #input = new Octets()
  readonly #lines = new LineReader(this.#input, true)
  #phase: Phase = 'greeting'
  #secure = false
  /** Lines of a reply that has more than one; undefined between replies. */
  #data: string[] | undefined
  #octets = 0

  constructor(sink: Sink<ClientQuestion, ClientAnswer>, settings: TrackSettings) {
    this.#sink = sink
    this.#settings = settings
  }

  get backlogOctets(): number {
    return this.#input.length
  }

  start(): void {}

  receive(octets: Uint8Array): void {
    if (this.#phase === 'over') return
    if (this.#phase === 'tls') {
      this.#finish({ kind: 'lost', why: 'clear text behind STARTTLS' })
      return
    }
    this.#input.push(octets)
    this.#read()
    this.#input.keep()
  }

  answer(): void {}

  secured(_tls: TlsFacts): void {
    if (this.#phase !== 'tls') return
    this.#secure = true
    this.#phase = 'greeting'
    this.step++
  }

  drained(): void {}

  tell(event: ClientEvent): void {
    this.#finish({ kind: 'lost', why: event.why })
  }

  expire(): void {
    this.#finish({ kind: 'lost', why: 'the server says nothing' })
  }

  end(): void {
    this.#finish({ kind: 'lost', why: 'the server has closed the connection' })
  }

  #read(): void {
    while (this.#phase !== 'over' && this.#phase !== 'tls') {
      const found = this.#lines.next(LINE_MAX_OCTETS)
      if (found === 'more') return
      this.step++
      const { text, octets } = this.#lines
      this.#octets += octets
      if (found === 'overlong' || this.#octets > ANSWER_MAX_OCTETS) {
        this.#finish({ kind: 'lost', why: 'the server says too much' })
      } else if (this.#data === undefined) this.#status(text)
      else if (text === '.') this.#replied(this.#data)
      else this.#data.push(text.startsWith('.') ? text.slice(1) : text)
    }
  }

  #status(line: string): void {
    if (!/^\+OK/i.test(line)) {
      this.#sink.send('QUIT\r\n')
      this.#finish({ kind: 'refused', line })
    } else if (/^\+OK\+/i.test(line)) this.#data = []
    else this.#replied([])
  }

  #replied(data: readonly string[]): void {
    this.#data = undefined
    switch (this.#phase) {
      case 'greeting': {
        const offered = data.some(line => /^STARTTLS(?:[ \t]|$)/i.test(line))
        if (offered && !this.#secure && this.#settings.startTls) {
          this.#phase = 'starttls'
          this.#sink.send(`STARTTLS ${this.#settings.host}\r\n`)
        } else this.#ask()
        return
      }
      case 'starttls':
        if (this.#input.length > 0) {
          this.#finish({ kind: 'lost', why: 'clear text behind STARTTLS' })
          return
        }
        this.#phase = 'tls'
        this.#sink.secure()
        return
      case 'track':
        this.#sink.send('QUIT\r\n')
        this.#finish({ kind: 'found', part: data.map(line => `${line}\r\n`).join('') })
        return
      case 'tls':
      case 'over':
      // Nothing is read then.
    }
  }

  #ask(): void {
    const { envelopeId, secret } = this.#settings
    this.#phase = 'track'
    this.#sink.send(`TRACK ${encodeXtext(envelopeId)} ${encodeBase64(secret)}\r\n`)
  }

  #finish(result: TrackResult): void {
    if (this.#phase === 'over') return
    this.#phase = 'over'
    this.#input.clear()
    this.#sink.ask({ kind: 'result', result })
    this.#sink.close()
  }
}
