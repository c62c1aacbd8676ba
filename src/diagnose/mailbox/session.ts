/**
 * The few words of POP3 (RFC 1939, RFC 2449, RFC 2595) or IMAP (RFC 9051) that show a server: greeting, capabilities,
 * TLS, capabilities again, goodbye. A session as the pump knows it (wire/effect.ts); it logs in nowhere, and what it
 * keeps is bounded. Started by talk.ts beside this file.
 */
import type { Session, Sink, TlsFacts } from '../../wire/effect.ts'
import { LineReader } from '../../wire/line.ts'
import { Octets } from '../../wire/octets.ts'
import type { Transcript } from '../transcript.ts'

/** What came of it. */
export interface Shown {
  greeting?: string
  /** Capabilities before TLS, and under it. */
  clear?: readonly string[]
  secured?: readonly string[]
  /** What was said to STLS or STARTTLS instead of yes. */
  tlsRefused?: string
  /** Why it ended before its time. */
  trouble?: string
}

/** What a script waits for: lines until one is the last, or TLS. */
type Wait = ((line: string) => boolean) | 'tls'
export type Script = Generator<Wait, void, readonly string[]>

const LINE_MAX_OCTETS = 8_192
const LINES_MAX = 200

export class MailboxSession implements Session<never> {
  readonly patienceMs: number
  step = 0
  readonly #sink: Sink<never, never>
  readonly #shown: Shown
  readonly #script: Script
  readonly #transcript: Transcript
  readonly #input = new Octets()
  readonly #lines = new LineReader(this.#input, true)
  #wait: Wait | 'over' = 'over'
  #gathered: string[] = []

  constructor(
    sink: Sink<never, never>,
    made: {
      readonly shown: Shown
      readonly script: (say: (line: string) => void) => Script
      readonly patienceMs: number
      readonly transcript: Transcript
    },
  ) {
    this.#sink = sink
    this.#shown = made.shown
    this.#transcript = made.transcript
    this.#script = made.script(line => {
      made.transcript.line('C', line)
      sink.send(`${line}\r\n`)
    })
    this.patienceMs = made.patienceMs
  }

  get backlogOctets(): number {
    return this.#input.length
  }

  start(): void {
    this.#go([])
  }

  receive(octets: Uint8Array): void {
    this.#input.push(octets)
    while (typeof this.#wait === 'function') {
      const next = this.#lines.next(LINE_MAX_OCTETS)
      if (next === 'more') {
        if (this.#lines.droppedOctets > LINE_MAX_OCTETS) this.#fail('a line without end came')
        break
      }
      const line = next === 'line' ? this.#lines.text : this.#lines.text.slice(0, 200)
      this.#transcript.line('S', line)
      this.#gathered.push(line)
      if (this.#wait(line)) this.#go(this.#gathered.splice(0))
      else if (this.#gathered.length >= LINES_MAX) this.#fail('a reply without end came')
    }
    if (this.#wait === 'over') this.#input.clear()
    this.#input.keep()
  }

  answer(): void {}

  secured(tls: TlsFacts): void {
    this.#transcript.secured(tls)
    if (this.#wait === 'tls') this.#go([])
  }

  drained(): void {}
  tell(): void {}

  expire(): void {
    this.#fail('timed out')
  }

  end(): void {
    if (this.#wait !== 'over') this.#fail('the server has hung up')
    this.#sink.close()
  }

  #go(lines: readonly string[]): void {
    this.step += 1
    const turn = this.#script.next(lines)
    this.#wait = turn.done ? 'over' : turn.value
    if (turn.done) this.#sink.close()
    // Nothing said in clear text may count behind the handshake (RFC 3501 §6.2.1, RFC 2595 §2.1).
    else if (turn.value === 'tls' && this.#input.length > 0)
      this.#fail('clear text came behind the go-ahead for TLS')
    else if (turn.value === 'tls') this.#sink.secure()
  }

  #fail(why: string): void {
    this.#shown.trouble ??= why
    this.#wait = 'over'
    this.#sink.close()
  }
}

/** POP3: capabilities are lines up to a dot. */
export function* pop3Script(
  shown: Shown,
  say: (line: string) => void,
  tls: 'on' | 'try' | 'no',
): Script {
  const [greeting = ''] = yield () => true
  shown.greeting = greeting
  if (!greeting.startsWith('+OK')) return
  const capabilities = function* () {
    say('CAPA')
    const lines = yield* waitFor(
      (line, first) => line === '.' || (first && line.startsWith('-ERR')),
    )
    return lines
      .slice(1)
      .filter(line => line !== '.')
      .map(line => line.toUpperCase())
  }
  const first = yield* capabilities()
  if (tls === 'on') shown.secured = first
  else shown.clear = first
  if (tls === 'try' && first.includes('STLS')) {
    say('STLS')
    const [reply = ''] = yield () => true
    if (reply.startsWith('+OK')) {
      yield 'tls'
      shown.secured = yield* capabilities()
    } else shown.tlsRefused = reply
  }
  say('QUIT')
  yield () => true
}

/** IMAP: untagged lines up to the tagged one. */
export function* imapScript(
  shown: Shown,
  say: (line: string) => void,
  tls: 'on' | 'try' | 'no',
): Script {
  const [greeting = ''] = yield () => true
  shown.greeting = greeting
  if (!/^\* (?:OK|PREAUTH)/i.test(greeting)) return
  let tag = 0
  const ask = function* (command: string) {
    const mine = `d${++tag} `
    say(mine + command)
    return yield* waitFor(line => line.startsWith(mine))
  }
  const capabilities = function* () {
    const lines = yield* ask('CAPABILITY')
    const told = lines.find(line => /^\* CAPABILITY /i.test(line)) ?? ''
    return told.toUpperCase().split(' ').slice(2)
  }
  const first = yield* capabilities()
  if (tls === 'on') shown.secured = first
  else shown.clear = first
  if (tls === 'try' && first.includes('STARTTLS')) {
    const reply = (yield* ask('STARTTLS')).at(-1) ?? ''
    if (/^\S+ OK/i.test(reply)) {
      yield 'tls'
      shown.secured = yield* capabilities()
    } else shown.tlsRefused = reply
  }
  yield* ask('LOGOUT')
}

function* waitFor(
  isLast: (line: string, first: boolean) => boolean,
): Generator<Wait, readonly string[], readonly string[]> {
  let first = true
  return yield line => {
    const last = isLast(line, first)
    first = false
    return last
  }
}
