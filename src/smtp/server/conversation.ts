/**
 * What a verb sees of its session: who the peer is, the transaction, and how to reply. It holds the
 * facts of one connection; the order of commands is state.ts, the octets are session.ts.
 */
import type { Envelope, Recipient, Sender } from '../../mail/envelope.ts'
import type { Forwarded } from '../../mail/forwarded.ts'
import type { Reply } from '../../mail/status.ts'
import type { Verdict } from '../../mail/verdict.ts'
import type { Account, ServerMechanism } from '../../sasl/mechanism.ts'
import type { Endpoint, Sink, TlsFacts } from '../../wire/effect.ts'
import type { Extension } from '../extension/extension.ts'
import { type Dialect, dialectOf } from '../extension/table.ts'
import { replies, replyText, verdictReply } from '../replies.ts'
import type { Incoming } from './incoming.ts'
import type { Answer, Peer, Question, SessionSettings } from './question.ts'
import type { State } from './state.ts'

/** How a mechanism is found by its name; the room sasl has the table. */
export type FindMechanism = (name: string) => ServerMechanism | undefined

/** A mail transaction (RFC 5321 §3.3). It is an Envelope that grows. */
export interface Transaction {
  readonly sender: Sender
  readonly recipients: Recipient[]
  /** Where its content goes on (RFC 1845); absent where it begins. */
  readonly resumedAt?: number
  /** The paths of its recipients then: who goes on with it may name them as often as he likes. */
  readonly resumedPaths?: ReadonlySet<string>
}

/** What XCLIENT may tell of a client, or leave open. */
interface Claimed {
  readonly account: Account | undefined
  readonly name: string | undefined
}

/** Counted for each reply beside its octets: behind some sixty commands others get their turn. */
const REPLY_COSTS_OCTETS = 1024

/** The octets behind the command at work. */
export interface Ahead {
  /** The next RCPT line, if it is there already: an argument, or why it is not one. */
  nextRcpt(): string | Reply | undefined
  /** Whether anything came. */
  pipelined(): boolean
}

export class Conversation {
  readonly sink: Sink<Question, Answer>
  readonly settings: SessionSettings
  readonly dialect: Dialect
  readonly mechanism: FindMechanism
  /** Who connected: what is trusted is his address, not one that he told. */
  readonly origin: Endpoint
  state: State = 'connected'
  transaction: Transaction | undefined
  /** The content that arrives now; stays while BDAT chunks come. */
  incoming: Incoming | undefined
  /** What has come behind the command at work. */
  readonly ahead: Ahead
  transactions = 0
  /** Domains of the recipients asked for so far, where their number is limited. */
  domains: Set<string> | undefined
  closed = false
  /** Of replies that may not have left yet. */
  outstandingOctets = 0
  #errors = 0
  #loginFailures = 0
  #peer: Peer

  constructor(
    sink: Sink<Question, Answer>,
    ahead: Ahead,
    settings: SessionSettings,
    ends: { readonly remote: Endpoint; readonly local: Endpoint },
    tls: TlsFacts | undefined,
    mechanism: FindMechanism,
  ) {
    this.sink = sink
    this.ahead = ahead
    this.settings = settings
    this.dialect = dialectOf(settings)
    this.mechanism = mechanism
    this.origin = ends.remote
    this.#peer = { remote: ends.remote, local: ends.local, hello: '', extended: false }
    if (tls !== undefined) this.#peer = { ...this.#peer, tls }
  }

  get peer(): Peer {
    return this.#peer
  }

  get envelope(): Envelope {
    return this.transaction as Envelope
  }

  greeted(hello: string, extended: boolean): void {
    this.#peer = { ...this.#peer, hello, extended }
  }

  authenticated(account: Account): void {
    this.#peer = { ...this.#peer, account }
  }

  /** Whether we know who the peer is: he has logged in, or his certificate was verified. */
  get proven(): boolean {
    return this.#peer.account !== undefined || this.#peer.tls?.verified === true
  }

  /** Whether this peer is shown an extension that is on. */
  shows({ shownTo }: Extension): boolean {
    return shownTo?.(this.origin, this.settings) ?? true
  }

  /** XCLIENT: the peer is another. TLS is still that of the connection. */
  become(client: Omit<Peer, 'tls' | 'account' | 'name'> & Claimed): void {
    const { remote, local, hello, extended, account, name } = client
    const tls = this.#peer.tls && unboundTls(this.#peer.tls)
    this.#peer = {
      ...{ remote, local, hello, extended },
      ...(tls && { tls }),
      ...(account && { account }),
      ...(name !== undefined && { name }),
    }
  }

  /** XFORWARD: of the transaction that follows. */
  forwarded(forwarded: Forwarded): void {
    this.#peer = { ...this.#peer, forwarded }
  }

  /** RFC 3207 §4.2: all knowledge from before TLS is forgotten: hello, account, transaction. */
  secured(tls: TlsFacts): void {
    const { remote, local } = this.#peer
    this.#peer = { remote, local, hello: '', extended: false, tls }
    this.state = 'connected'
  }

  reply(reply: Reply): void {
    if (reply.code >= 500) {
      this.#errors += 1
      this.sink.note?.('mistake')
    }
    const text = replyText(reply)
    this.outstandingOctets += text.length + REPLY_COSTS_OCTETS
    this.sink.send(text)
  }

  /** Replies with what policy refused; 421 closes (RFC 5321 §3.8). */
  refuse(verdict: Exclude<Verdict, { kind: 'accept' }>): void {
    this.reply(
      verdictReply(verdict, this.settings.hostname, this.transaction?.sender.utf8 ?? false),
    )
    if (verdict.code === 421) this.close()
  }

  /** A login was denied: RFC 4954 §4 lets a server close after some, not before three. */
  denied(): void {
    this.#loginFailures += 1
  }

  get guessing(): boolean {
    const { loginFailuresMax = 0 } = this.settings
    return loginFailuresMax > 0 && this.#loginFailures >= loginFailuresMax
  }

  /** True once too many commands have failed. */
  get erroneous(): boolean {
    return this.settings.errorsMax > 0 && this.#errors >= this.settings.errorsMax
  }

  /**
   * Ends the transaction without a message: policy forgets its content, unless it was `interrupted` and
   * may be gone on with. Harmless without one.
   */
  abandon(interrupted = false): void {
    if (this.transaction === undefined) return
    this.transaction = undefined
    this.sink.ask({ kind: 'abandon', interrupted })
  }

  /** Ends the transaction after policy has answered for its message. */
  conclude(): void {
    this.transaction = undefined
    this.incoming = undefined
    this.state = 'ready'
    if (this.#peer.forwarded === undefined) return
    const { forwarded: _over, ...peer } = this.#peer
    this.#peer = peer
  }

  /** RFC 5321 §3.1: 554 in place of the greeting; the session waits for QUIT, and for nothing else. */
  bar(refusal: Reply): void {
    this.reply(refusal)
    this.state = 'barred'
  }

  /** One last reply where there is one, then the end. */
  close(last?: Reply, interrupted = false): void {
    if (this.closed) return
    if (last !== undefined) this.reply(last)
    this.abandon(interrupted)
    this.closed = true
    this.sink.close()
  }

  /** The session is over, and the connection another's (RFC 2645 §5.3). */
  handOver(): void {
    if (this.closed) return
    this.closed = true
    this.sink.handOver()
  }

  /** The reply to a verdict that was owed and is not there: a bug of policy, not of the peer. */
  verdictOr(verdict: Verdict | undefined): Verdict {
    const { detail, lines } = replies.noVerdict
    return verdict ?? { kind: 'defer', code: 451, detail: detail ?? '3.0', text: lines[0] ?? '' }
  }
}

/** The connection is that of who speaks for the client: he cannot be bound to it, and its certificate is not his. */
function unboundTls({ bindings: _of, mailboxes: _his, ...tls }: TlsFacts): TlsFacts {
  return tls
}
