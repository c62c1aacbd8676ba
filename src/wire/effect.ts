/**
 * The protocol contract: what a session may do to the world, and what the world may do to a session.
 *
 * A session (SMTP, LMTP, POP3, IMAP; server or client) is a synchronous state machine. It holds no
 * socket, promise, clock, database or log. The pump (world/pump.ts) gives it a `Sink` and calls its
 * inputs; the session answers every input by calling methods of the sink before it returns.
 */

/** Octets to send that need not be in memory at once. The pump pulls them under backpressure. */
export type Source = Uint8Array | AsyncIterable<Uint8Array>

/**
 * Octets in a buffer that is used again. Between `take` and `giveBack` they stay what they are: who sends them gives
 * them back once they have left, or never will. `take` throws where the buffer is another's by now.
 */
export interface Lent {
  /** What its last piece was seen to be (RFC 2045 §2.7, §2.8), where besides no line of that begins with a dot. */
  readonly plain?: '7bit' | '8bit' | undefined
  take(): readonly Uint8Array[]
  giveBack(): void
}

export function isLent(source: Source | Lent): source is Lent {
  return 'giveBack' in source
}

/** A synchronous filter over a streamed source (dot-stuffing, for one). `end` gives what is left. */
export interface Transform {
  push(octets: Uint8Array): Uint8Array
  end(): Uint8Array
}

/** One certificate of those a peer showed. */
export interface CertificateFacts {
  /** Distinguished names, each on one line. */
  readonly subject: string
  readonly issuer: string
  /** The DNS names and IP addresses it is good for; at most 100 of them. */
  readonly names: readonly string[]
  /** Ms since the epoch. */
  readonly validFrom: number
  readonly validTo: number
}

/** What is known about a connection once TLS is on. */
export interface TlsFacts {
  /** 'TLSv1.3' or 'TLSv1.2'. */
  readonly protocol: string
  /** The IANA or OpenSSL name of the cipher suite. */
  readonly cipher: string
  /** The name the client asked for (SNI), if it did. */
  readonly servername?: string
  /** True where the peer's certificate chain and name were verified. */
  readonly verified: boolean
  /** Why not, as OpenSSL or Node names it (CERT_HAS_EXPIRED); a client knows it. */
  readonly unverified?: string
  /** The peer's certificate and those of its issuers, where `SecureOptions` asked for them. */
  readonly chain?: readonly CertificateFacts[]
  /** The subject common name of the peer's certificate, where it showed one. */
  readonly peerName?: string
  /** The whole subject of that certificate, on one line. */
  readonly subject?: string
  /** Its SHA-256, as hexadecimal digits in pairs with colons between. */
  readonly fingerprint?: string
  /** The mail addresses it is for (rfc822Name, RFC 5280 §4.2.1.6). */
  readonly mailboxes?: readonly string[]
  /** What a login may be bound to (RFC 5056), in base64, by the registered name of the binding. */
  readonly bindings?: ChannelBindings
  /** The client's Finished of the handshake, in base64: no registered binding of TLS 1.3, but some bind to it. */
  readonly finished?: string
}

/** Channel bindings of TLS: RFC 9266 for 1.3, RFC 5929 for what there was before. */
export interface ChannelBindings {
  readonly 'tls-exporter'?: string | undefined
  readonly 'tls-unique'?: string | undefined
  readonly 'tls-server-end-point'?: string | undefined
}

/** One end of a connection; for a Unix socket, stdio or memory `port` is 0. */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** What a session notes of its peer, for policy to count: a command, or one that was wrong. */
export type Noted = 'command' | 'mistake'

/** The effects a session may have. All are gathered by the pump and leave in one write per input. */
export interface Sink<Question, Answer> {
  /** Sends text (written as UTF-8) or octets, in order. */
  send(output: string | Uint8Array): void
  /** Sends a source behind what was sent so far; later sends wait behind it. */
  stream(source: Source | Lent, transform?: Transform): void
  /**
   * Asks the role behind the session. An answer known at once is returned; `undefined` means that
   * it comes later through `Session.answer`, and until then the session asks nothing else.
   */
  ask(question: Question): Answer | undefined
  /**
   * Notes what the peer does. What was sent for this input, and what the peer sends next, may be made to wait
   * for it; the session hears nothing of that. Without it nobody counts.
   */
  note?(what: Noted): void
  /** Message content: a view of octets[from, to), valid until the call returns unless copied. */
  content(octets: Uint8Array, from: number, to: number): void
  /** Starts TLS once what was sent has left. The session's input buffer must be empty. */
  secure(): void
  /**
   * From here on both sides speak in raw DEFLATE (RFC 4978): once what was sent has left. The session's input
   * buffer must be empty.
   */
  compress(): void
  /**
   * Gives the connection away once what was sent has left: the roles change (RFC 2645 §5.3). The
   * session's input buffer must be empty, and the session is over.
   */
  handOver(): void
  /** Closes the connection once what was sent has left. */
  close(): void
}

/** The inputs of a session. Every method is synchronous and must not throw on any octets. */
export interface Session<Answer, Event = never> {
  /** The connection stands (and, on implicit TLS, is already secured). A server greets here. */
  start(): void
  /** Octets from the peer, lent until the call returns: what is not consumed by then is copied. */
  receive(octets: Uint8Array): void
  /** The answer to the one open question. */
  answer(answer: Answer): void
  /** TLS is on. */
  secured(tls: TlsFacts): void
  /** All that was sent or streamed has been handed to the transport. */
  drained(): void
  /** Something happened elsewhere: new mail, shutdown, a ban. */
  tell(event: Event): void
  /** The time of `patienceMs` has passed since `step` last changed. */
  expire(): void
  /** The peer sent its end of stream. Input already received may still be answered. */
  end(): void
  /** How long the present step may take, in ms; 0 is no limit (a question is open, say). */
  readonly patienceMs: number
  /** Changes whenever the deadline is to start anew: a crawling peer does not change it. */
  readonly step: number
  /** Received octets not consumed yet; the pump stops reading while there are too many. */
  readonly backlogOctets: number
}

/** What the pump asks on a session's behalf: the one place where policy and protocol meet. */
export interface Role<Question, Answer> {
  /** Answers at once or later. A throw or rejection is answered by `failed`. */
  ask(question: Question): Answer | Promise<Answer>
  /** The answer in place of one that was thrown away: always a temporary refusal. */
  failed(question: Question, error: unknown): Answer
  /** Takes content; a promise stops the pump from reading until it settles. */
  content?(octets: Uint8Array, from: number, to: number): Promise<void> | undefined
  /** Counts what the session noted; how long what it says is to wait, ms. */
  noted?(what: Noted): number
  /** All is over, for whatever reason, though the peer may not have gone yet; called exactly once. */
  closed?(): void
}
