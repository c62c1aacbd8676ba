/**
 * What was said to one address, line by line with its time, and the same as pairs of command and reply for the
 * steps that judge it. Written by talk.ts as the client session's witness, which has blotted out secrets already.
 * Bounded, whatever the peer says.
 */
import type { Reply } from '../mail/status.ts'
import type { Witnessed } from '../smtp/client/dialogue.ts'
import type { TlsFacts } from '../wire/effect.ts'
import type { Clock } from '../world/clock.ts'
import type { Line } from './finding.ts'

/** A command and its reply; the greeting answers nothing. */
export interface Exchange {
  /** Without CRLF; '' is the greeting. */
  readonly said: string
  readonly reply: Reply
  readonly tookMs: number
  /** Whether it was said under TLS. */
  readonly secured: boolean
}

const LINES_MAX = 600
const LINE_MAX_CHARACTERS = 600
const EXCHANGES_MAX = 200

export class Transcript {
  readonly lines: Line[] = []
  readonly exchanges: Exchange[] = []
  tls: TlsFacts | undefined
  /** How long the first handshake took. */
  tlsTookMs = 0
  readonly #clock: Clock
  readonly #startedAt: number
  #said = ''
  #saidAt: number
  /** When the last reply came, or the connection. */
  #heardAt: number
  #secured = false

  constructor(clock: Clock) {
    this.#clock = clock
    this.#startedAt = clock.monotonic()
    this.#saidAt = this.#startedAt
    this.#heardAt = this.#startedAt
  }

  /** Ms since it began. */
  get atMs(): number {
    return this.#clock.monotonic() - this.#startedAt
  }

  /** A new connection begins: what is heard first is a greeting. */
  begin(): void {
    this.#said = ''
    this.#saidAt = this.#clock.monotonic()
    this.#heardAt = this.#saidAt
    this.#secured = false
  }

  note(text: string): void {
    this.#line(`* ${text}`)
  }

  secured(tls: TlsFacts): void {
    if (this.tls === undefined) this.tlsTookMs = this.#clock.monotonic() - this.#heardAt
    this.tls ??= tls
    this.#secured = true
    this.#said = ''
    this.#saidAt = this.#clock.monotonic()
    this.note(`${tls.protocol} ${tls.cipher}${tls.verified ? ', verified' : ''}`)
  }

  /** A line of another protocol, ours or the server's. */
  line(who: 'C' | 'S', text: string): void {
    this.#heardAt = this.#clock.monotonic()
    this.#line(`${who}: ${text}`)
  }

  /** What the client session says and hears. */
  witness(event: Witnessed): void {
    if (event.kind === 'secured') this.secured(event.tls)
    else if (event.kind === 'heard') this.#heard(event.reply)
    else if (event.kind === 'said') this.#wasSaid(event.text)
    // The session notes TLS in its own words.
    else if (!event.text.startsWith('TLS')) this.note(event.text)
  }

  #wasSaid(text: string): void {
    this.#said = text.trimEnd()
    this.#saidAt = this.#clock.monotonic()
    this.#line(`C: ${this.#said}`)
  }

  #heard(reply: Reply): void {
    this.#heardAt = this.#clock.monotonic()
    const tookMs = this.#heardAt - this.#saidAt
    if (this.exchanges.length < EXCHANGES_MAX) {
      this.exchanges.push({ said: this.#said, reply, tookMs, secured: this.#secured })
    }
    const { code, detail, lines } = reply
    const status = detail === undefined ? '' : `${Math.floor(code / 100)}.${detail} `
    for (const [at, line] of lines.entries()) {
      this.#line(`S: ${code}${at < lines.length - 1 ? '-' : ' '}${status}${line}`)
    }
  }

  #line(text: string): void {
    if (this.lines.length > LINES_MAX) return
    const { atMs } = this
    if (this.lines.length === LINES_MAX) this.lines.push({ atMs, text: '* (more is not kept)' })
    else if (text.length <= LINE_MAX_CHARACTERS) this.lines.push({ atMs, text })
    else this.lines.push({ atMs, text: `${text.slice(0, LINE_MAX_CHARACTERS)}...` })
  }
}
