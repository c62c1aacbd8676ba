/**
 * A server session on a scripted sink, for the tests of this room: what it sends is gathered, its
 * questions are answered from a few messages in memory, at once or later. Never used by the server.
 */
import type { LoginAnswer, LoginQuestion } from '../sasl/mechanism.ts'
import type { Source, TlsFacts, Transform } from '../wire/effect.ts'
import type { Answer, Question, SessionSettings } from './server/question.ts'
import { ServerSession } from './server/session.ts'

export const settings: SessionSettings = {
  hostname: 'mail.example.org',
  implementation: 'Postrider',
  startTls: true,
  plaintextAuth: true,
  mechanisms: ['PLAIN', 'LOGIN'],
  loginTimeoutMs: 60_000,
  idleTimeoutMs: 600_000,
  errorsMax: 10,
  loginFailuresMax: 3,
  chance: count => new Uint8Array(count),
}

export const tls: TlsFacts = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_128_GCM_SHA256',
  verified: false,
}

const endpoint = { address: '192.0.2.1', port: 1 }

/** The octets of a source behind its transform, all at once: for small ones. */
export async function wholeOf(source: Source, transform?: Transform): Promise<Buffer> {
  const parts: Uint8Array[] = []
  const pieces = source instanceof Uint8Array ? [source] : source
  for await (const octets of pieces) parts.push(transform?.push(octets) ?? octets)
  if (transform !== undefined) parts.push(transform.end())
  return Buffer.concat(parts)
}

/** joe's password is `secret`; his maildrop holds `messages`. */
export class Scripted {
  readonly session: ServerSession
  readonly #messages: readonly Message[]
  readonly asked: Question[] = []
  closed = false
  securing = false
  /** What open answers, where it is not yes. */
  openAnswer: Answer | undefined
  /** True leaves questions open until `reply` is called. */
  later = false
  #said = ''
  #streams: { readonly source: Source; readonly transform: Transform | undefined; at: string }[] =
    []

  constructor(
    messages: readonly Message[],
    changes: Partial<SessionSettings> = {},
    secured = false,
  ) {
    this.#messages = messages
    const peer = { remote: endpoint, local: endpoint, ...(secured ? { tls } : {}) }
    const sink = {
      send: (output: string | Uint8Array) => {
        this.#said += typeof output === 'string' ? output : Buffer.from(output).toString('latin1')
      },
      stream: (source: Source, transform?: Transform) => {
        this.#streams.push({ source, transform, at: this.#said })
        this.#said = ''
      },
      ask: (question: Question) => {
        this.asked.push(question)
        return this.later ? undefined : this.answerTo(question)
      },
      content: () => {},
      secure: () => {
        this.securing = true
      },
      compress: () => {},
      handOver: () => {},
      close: () => {
        this.closed = true
      },
    }
    this.session = new ServerSession(sink, { ...settings, ...changes }, peer)
  }

  /** Answers the question that was left open. */
  reply(answer = this.answerTo(this.asked.at(-1) as Question)): void {
    this.session.answer(answer)
  }

  /** What was sent since the last call, streams not included. */
  said(): string {
    const said = this.#said
    this.#said = ''
    return said
  }

  /** Sends octets and gives all that came back, streams pulled to their ends. */
  async say(text: string | Uint8Array): Promise<string> {
    this.session.receive(typeof text === 'string' ? Buffer.from(text) : text)
    return this.flush()
  }

  async flush(): Promise<string> {
    let all = ''
    for (;;) {
      const streams = this.#streams
      this.#streams = []
      for (const { at, source, transform } of streams) {
        all += at + (await wholeOf(source, transform)).toString('latin1')
      }
      all += this.said()
      this.session.drained()
      if (this.#streams.length === 0 && this.#said === '') return all
    }
  }

  answerTo(question: Question): Answer {
    if (question.kind === 'open' && this.openAnswer !== undefined) return this.openAnswer
    return yes(question, this.#messages)
  }
}

type Message = string | AsyncIterable<Uint8Array>

/** Policy that says yes, with these messages as the maildrop; their uids are 1, 2, 3 ... */
export function yes(question: Question, messages: readonly Message[]): Answer {
  switch (question.kind) {
    case 'connect':
      return { kind: 'welcome' }
    case 'login':
      return login(question.question)
    case 'open': {
      const sizes = messages.map(message =>
        typeof message === 'string' ? Buffer.byteLength(message) : 0,
      )
      return {
        kind: 'opened',
        listing: { uidValidity: 7, uids: messages.map((_, i) => i + 1), sizes },
      }
    }
    case 'retrieve': {
      const message = messages[question.uid - 1] as Message
      const content = typeof message === 'string' ? Buffer.from(message) : message
      const sizeOctets = content instanceof Uint8Array ? content.length : 0
      return { kind: 'content', sizeOctets, content }
    }
    case 'commit':
      return { kind: 'committed' }
  }
}

function login(question: LoginQuestion): LoginAnswer {
  const joe: LoginAnswer = { kind: 'account', account: { id: 1, address: 'joe@example.org' } }
  if (question.kind === 'secret') {
    const octets = Buffer.from('secret')
    return { kind: 'secret', secrets: [{ octets, genuine: question.username === 'joe' }] }
  }
  if (question.kind === 'proven') return joe
  if (question.kind !== 'password') return { kind: 'denied', why: 'no' }
  if (question.username === 'down') return { kind: 'unavailable', why: 'the directory is away' }
  return question.username === 'joe' && question.password === 'secret'
    ? joe
    : { kind: 'denied', why: 'no' }
}
