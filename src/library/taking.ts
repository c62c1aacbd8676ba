/**
 * The policy behind `createServer`, one for each connection: the program's own answers where it has
 * any, else acceptance; content goes whole to `message`, or to `stream` as it arrives. It keeps nothing.
 */
import { Readable } from 'node:stream'
import type { Envelope } from '../mail/envelope.ts'
import { accept, defer, refuse, type Verdict } from '../mail/verdict.ts'
import type { LoginAnswer } from '../sasl/mechanism.ts'
import type { Later, Peer, Policy } from '../smtp/server/question.ts'
import type { Log } from '../world/log.ts'

/** A message as it was received. */
export interface ReceivedMessage {
  readonly peer: Peer
  readonly envelope: Envelope
  /** CRLF line ends, dots unstuffed; nothing was added. */
  readonly content: Uint8Array
}

/** A message whose content has only begun. */
export interface ArrivingMessage {
  readonly peer: Peer
  readonly envelope: Envelope
  /**
   * The octets as they come; reading slowly slows the sender down. Ends after the last one. Where the sender breaks
   * off, or the message is too long, it is destroyed with an error: nothing was received.
   */
  readonly content: Readable
}

/** What a program does with messages: one of the two. */
export interface Takers {
  /** Called for each complete message; the 250 is sent once it resolves to accept (or to nothing). A throw is 451. */
  readonly message?: (message: ReceivedMessage) => Later<Verdict | void>
  /** Called in its place when content begins; the verdict counts once all of it has come. */
  readonly stream?: (message: ArrivingMessage) => Later<Verdict | void>
  /** Any of the session's other questions (smtp/server/question.ts); what is absent accepts, but for logins. */
  readonly policy?: Partial<Pick<Policy, 'connect' | 'hello' | 'mail' | 'rcpts' | 'login'>>
}

const NO_LOGIN: LoginAnswer = { kind: 'denied', why: 'no logins here' }

export class Taking implements Policy {
  readonly #takers: Takers
  readonly #log: Log
  #chunks: Uint8Array[] = []
  #arriving: Readable | undefined
  #verdict: Promise<Verdict> | undefined
  /** Lets the sender go on, where enough of his is here. */
  #more: (() => void) | undefined

  constructor(takers: Takers, log: Log) {
    this.#takers = takers
    this.#log = log
  }

  connect: Policy['connect'] = peer => this.#takers.policy?.connect?.(peer) ?? accept()
  hello: Policy['hello'] = peer => this.#takers.policy?.hello?.(peer) ?? accept()
  login: Policy['login'] = (peer, question) =>
    this.#takers.policy?.login?.(peer, question) ?? NO_LOGIN
  mail: Policy['mail'] = (peer, sender) => this.#takers.policy?.mail?.(peer, sender) ?? accept()
  rcpts: Policy['rcpts'] = (peer, envelope, recipients) =>
    this.#takers.policy?.rcpts?.(peer, envelope, recipients) ?? recipients.map(() => accept())

  data(peer: Peer, envelope: Envelope): Verdict {
    this.abandon()
    const { stream } = this.#takers
    if (stream === undefined) return accept()
    const more = () => this.#more?.()
    const content = new Readable({
      read: more,
      destroy: (error, done) => {
        more()
        done(error)
      },
    })
    // One that nobody listens to would end the process.
    content.on('error', () => {})
    this.#arriving = content
    this.#verdict = this.#ask(
      async () => stream({ peer, envelope, content }),
      () => content.errored !== null,
    ).then(verdict => {
      // What is not wanted is let pass.
      content.destroy()
      return verdict
    })
    return accept()
  }

  content(octets: Uint8Array, from: number, to: number): Promise<void> | undefined {
    const chunk = octets.slice(from, to)
    const arriving = this.#arriving
    if (arriving === undefined) this.#chunks.push(chunk)
    else if (!arriving.destroyed && !arriving.push(chunk)) {
      return new Promise(resolve => (this.#more = resolve))
    }
    return undefined
  }

  async accept(peer: Peer, envelope: Envelope): Promise<readonly Verdict[]> {
    const { message } = this.#takers
    const content = Buffer.concat(this.#chunks)
    this.#chunks = []
    if (this.#arriving?.destroyed === false) this.#arriving.push(null)
    this.#arriving = undefined
    const verdict = this.#verdict ?? this.#ask(async () => message?.({ peer, envelope, content }))
    this.#verdict = undefined
    const known = await verdict
    return envelope.recipients.map(() => known)
  }

  abandon(): void {
    this.#chunks = []
    this.#arriving?.destroy(new Error('the message was not received whole'))
    this.#arriving = undefined
    this.#verdict = undefined
  }

  verify(): Verdict {
    return accept()
  }

  expand(): Verdict {
    return refuse(550, '7.1', 'mailing lists are not shown')
  }

  start(): Verdict {
    return refuse(502, '5.1', 'there is no queue here')
  }

  exchange(): Verdict {
    return refuse(502, '5.1', 'there is no queue here')
  }

  closed(): void {
    this.abandon()
  }

  /** The program's word; where it throws the sender is to come again, and the log says why, unless it was for him. */
  async #ask(taker: () => Promise<Verdict | void>, isAbandoned = () => false): Promise<Verdict> {
    try {
      return (await taker()) ?? accept()
    } catch (error) {
      if (!isAbandoned()) {
        this.#log.error('message', { error: error instanceof Error ? error.stack : String(error) })
      }
      return defer(451, '3.0', 'the message could not be handled')
    }
  }
}
