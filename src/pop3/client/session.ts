/**
 * The client's side of POP3 (RFC 1939) as a synchronous state machine, the mirror of server/session:
 * it greets, asks its role what to do, does it, and asks again. Used by access/pop3-fetch.ts, by
 * tests and by the simulated town. It holds no message: content passes through to the sink.
 */
import { DotScanner } from '../../wire/dot.ts'
import type { Session, Sink, TlsFacts } from '../../wire/effect.ts'
import { LineReader } from '../../wire/line.ts'
import { Octets } from '../../wire/octets.ts'
import { carry } from './order.ts'
import type { ClientAnswer, ClientQuestion, ClientSettings, Order, Result } from './question.ts'
import { serverReply } from './reply.ts'
import { awaitLine, awaitOrder, type Came, type Dialogue, type Talk, type Wait } from './talk.ts'

/** RFC 1939 §3 allows 512 octets for a reply; challenges of RFC 5034 are longer. */
const LINE_MAX_OCTETS = 16_384

export class ClientSession implements Session<ClientAnswer>, Talk {
  readonly settings: ClientSettings
  tls: TlsFacts | undefined
  step = 0
  readonly #sink: Sink<ClientQuestion, ClientAnswer>
  readonly #input = new Octets()
  readonly #lines = new LineReader(this.#input, true)
  readonly #running: Dialogue<void>
  #wait: Wait['kind'] | 'over' = 'line'
  #scanner: DotScanner | undefined
  #contentOctets = 0

  /** `tls` is there on implicit TLS. */
  constructor(
    sink: Sink<ClientQuestion, ClientAnswer>,
    settings: ClientSettings,
    tls: TlsFacts | undefined,
  ) {
    this.#sink = sink
    this.settings = settings
    this.tls = tls
    this.#running = this.#talk()
  }

  get backlogOctets(): number {
    return this.#input.length
  }

  get patienceMs(): number {
    return this.#wait === 'asked' || this.#wait === 'over' ? 0 : this.settings.replyTimeoutMs
  }

  say(line: string): void {
    this.#sink.send(`${line}\r\n`)
  }

  start(): void {
    // The first `next` of a generator takes no value; the type has no way to say so.
    this.#proceed(this.#running.next(...([] as unknown as [Came])))
    this.#read()
  }

  receive(octets: Uint8Array): void {
    if (this.#wait === 'over') return
    this.#input.push(octets)
    // A server that is heard is alive, however long its listing or its message is.
    this.step++
    this.#read()
    this.#input.keep()
  }

  answer(answer: ClientAnswer): void {
    if (this.#wait !== 'asked') return
    this.step++
    this.#resume({ kind: 'asked', answer })
    this.#read()
  }

  secured(tls: TlsFacts): void {
    if (this.#wait !== 'tls') return
    this.tls = tls
    this.step++
    this.#resume({ kind: 'tls' })
    this.#read()
  }

  drained(): void {}

  tell(): void {}

  expire(): void {
    this.#fail('the server is silent')
  }

  end(): void {
    this.#fail('the server has hung up')
  }

  /** Greeting, orders until QUIT, and a last question that says how it ended. */
  *#talk(): Dialogue<void> {
    let result: Result = serverReply(yield* awaitLine())
    while (result.kind !== 'broken') {
      const order: Order = yield* awaitOrder(result)
      result = yield* carry(this, order)
      if (order.kind === 'quit') break
    }
    this.#over(result)
  }

  #read(): void {
    for (;;) {
      if (this.#wait === 'line') {
        const found = this.#lines.next(LINE_MAX_OCTETS)
        if (found === 'more') return
        this.#resume({ kind: 'line', text: found === 'line' ? this.#lines.text : undefined })
      } else if (this.#wait === 'content') {
        if (!this.#scan()) return
      } else return
    }
  }

  /** Passes content on; true where it has ended. */
  #scan(): boolean {
    const input = this.#input
    this.#scanner ??= new DotScanner((octets, from, to) => {
      this.#contentOctets += to - from
      this.#sink.content(octets, from, to)
    }, false)
    const { buffer, from, to } = input
    const end = this.#scanner.scan(buffer, from, to)
    input.consume((end < 0 ? to : end) - from)
    if (end < 0) return false
    const sizeOctets = this.#contentOctets
    this.#scanner = undefined
    this.#contentOctets = 0
    this.#resume({ kind: 'content', sizeOctets })
    return true
  }

  #resume(came: Came): void {
    this.#proceed(this.#running.next(came))
  }

  #proceed(first: IteratorResult<Wait, void>): void {
    let step = first
    while (step.done !== true) {
      const wait = step.value
      this.#wait = wait.kind
      if (wait.kind === 'tls') this.#sink.secure()
      if (wait.kind !== 'asked') return
      const answer = this.#sink.ask(wait.question)
      if (answer === undefined) return
      step = this.#running.next({ kind: 'asked', answer })
    }
  }

  #fail(why: string): void {
    if (this.#wait !== 'over') this.#over({ kind: 'broken', why })
  }

  /** The role hears how it ended; whatever it answers, nothing is done any more. */
  #over(result: Result): void {
    this.#wait = 'over'
    this.#input.clear()
    this.#sink.close()
    this.#sink.ask({ kind: 'next', result })
  }
}
