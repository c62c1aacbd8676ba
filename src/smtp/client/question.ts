/**
 * Everything an SMTP client session asks and announces, on one page; the mirror of
 * server/question.ts. Whoever carries mail (transport/, the command line, a library user) answers
 * it. The session knows the protocol alone: it never chooses a host, retries or waits its turn.
 */
import type { Envelope } from '../../mail/envelope.ts'
import type { Forwarded } from '../../mail/forwarded.ts'
import type { Outcome } from '../../mail/outcome.ts'
import type { Reply } from '../../mail/status.ts'
import type { Credentials } from '../../sasl/mechanism.ts'
import type { Lent, Source, TlsFacts } from '../../wire/effect.ts'
import type { AsideAnswer, AsideStep } from '../../world/aside.ts'
import type { Witnessed } from './dialogue.ts'
import type { Timeouts } from './state.ts'

/** What is known of the next hop once it is ready for mail. */
export interface HopFacts {
  /** The first word of its greeting: the name it gives itself. */
  readonly greeting: string
  /** EHLO keywords in upper case with their parameters; empty after HELO. */
  readonly extensions: ReadonlyMap<string, string>
  readonly tls?: TlsFacts
  /** The mechanism we logged in by, if we did. */
  readonly login?: string
}

/** One message for this hop. */
export interface Carry {
  readonly kind: 'carry'
  /** A name of the message, of letters and digits, that is the same in every attempt (RFC 1845). */
  readonly id?: string
  readonly envelope: Envelope
  /** Octets that `content` yields, before dot-stuffing. */
  readonly sizeOctets: number
  /** The message with CRLF line ends; anything but BINARYMIME is repaired where it has others. */
  readonly content: Source | Lent
  /** Whom it came from, where a hop that offers XFORWARD is to be told. */
  readonly forwarded?: Forwarded
  /** Known to have no line end but CRLF: it may go by BDAT as it is, though it is no BINARYMIME. */
  readonly crlfOnly?: boolean
  /** Known besides to have no line that begins with a dot. */
  readonly undotted?: boolean
  /** Further recipients of the same message are to go by this connection: no other goes between. */
  readonly more?: boolean
  /** Whether somebody else may carry it by now: then its end is not to be said any more. */
  readonly lapsed?: (() => boolean) | undefined
}

/** A wish about mail that waits at the hop (RFC 1985, RFC 2645, RFC 821). */
export type Errand =
  /** ETRN: send what waits for the node to its own host. */
  | { readonly kind: 'start'; readonly node: string }
  /** ATRN, or TURN without domains: send it over this connection. */
  | {
      readonly kind: 'exchange'
      readonly verb: 'ATRN' | 'TURN'
      readonly domains: readonly string[]
    }

/** Whether mail would be taken: MAIL and RCPT, one by one, and RSET. No message is sent, ever. */
export interface Probe {
  readonly kind: 'probe'
  /** As they stand on the wire, in angle brackets; `<>` is the null reverse-path. */
  readonly reversePath: string
  readonly forwardPaths: readonly string[]
}

/** Where the dialogue stood when it went wrong. */
export type Phase =
  /** No connection came about. */
  | 'connect'
  | 'greeting'
  | 'hello'
  | 'tls'
  | 'auth'
  | 'idle'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'content'
  /** The final dot (or last chunk) has left. */
  | 'dot'

/** Why a connection will carry nothing (more). */
export interface Trouble {
  /** 'failed' where the hop refused us for good (5yz); anything else is 'deferred'. */
  readonly kind: 'deferred' | 'failed'
  readonly phase: Phase
  /** Enhanced status code with its class, RFC 3463. */
  readonly status: string
  /** One line a human can read. */
  readonly reason: string
  /** Its reply, where the trouble is one. */
  readonly reply?: Reply
  /**
   * Set where the same host may take the message at once by another connection. 'stepwise': commands
   * that left as one group were not all answered, and a host that loses them may hear them singly.
   */
  readonly again?: 'anew' | 'stepwise'
  /** Set where a message had begun in one group with the end of the one before, and was not answered. */
  readonly grouped?: true
}

/** The questions. Only `ready` and `aside` may be answered later; the others, but for `next`, are announcements. */
export type ClientQuestion =
  /** The hop is greeted, secured and logged in as wished, and takes a message now. */
  | { readonly kind: 'ready'; readonly facts: HopFacts }
  /**
   * The end of the message leaves now, and the beginning of the next may leave with it in one group (RFC 2920
   * §3.1). Answered at once, by that message or by 'noted'. Where the connection ends before that one's turn has
   * come nothing is announced of it: it is as if it had not been given.
   */
  | { readonly kind: 'next' }
  /** What became of the message; one outcome for each of its recipients, in order. */
  | {
      readonly kind: 'outcomes'
      readonly outcomes: readonly Outcome[]
      /** What was said, where an outcome is not 'delivered' or `dialogueAlways` is set. */
      readonly dialogue?: string
      /**
       * Set where the connection ends with this. In phase 'mail' without a reply nothing was
       * answered, and the message may be offered on another connection at once.
       */
      readonly trouble?: Trouble
    }
  /** What the hop said to an errand; `exchanged`: the connection is handed over with this. */
  | { readonly kind: 'errand'; readonly reply: Reply; readonly exchanged: boolean }
  /** What the hop said to a probe; to no recipient where MAIL was refused. */
  | { readonly kind: 'probed'; readonly mail: Reply; readonly recipients: readonly Reply[] }
  /** A step of the login that we do not do; answered by 'aside', now or later. */
  | { readonly kind: 'aside'; readonly step: AsideStep }
  /** The connection ends without a message under way: never ready, or lost while idle. */
  | { readonly kind: 'trouble'; readonly trouble: Trouble; readonly dialogue: string }

export type ClientAnswer =
  | Carry
  | Errand
  | Probe
  /** To `ready`: say QUIT. */
  | { readonly kind: 'quit' }
  /** To 'aside'. */
  | { readonly kind: 'aside'; readonly answer: AsideAnswer }
  /** To an announcement. */
  | { readonly kind: 'noted' }

/** What a client session may be told. */
export type ClientEvent =
  /** Leave as soon as the message under way, if any, is settled. */
  | { readonly kind: 'quit' }
  /** The connection is gone without an end of stream (reset, failed handshake). */
  | { readonly kind: 'lost'; readonly why: string }

/** Given to a session when it is made. */
export interface ClientSettings {
  /** What we call ourselves in EHLO: a domain or an address literal (RFC 5321 §4.1.4). */
  readonly hostname: string
  /** LMTP says LHLO and gives one reply for each recipient (RFC 2033). */
  readonly protocol: 'smtp' | 'lmtp'
  /** STARTTLS: never, where offered, or nothing without it. Not asked where TLS is on already. */
  readonly startTls: 'never' | 'opportunistic' | 'require'
  /** TLS facts of a connection that began with TLS (RFC 8314 §3.3). */
  readonly tls?: TlsFacts
  readonly login?: Credentials
  /** Whether a password may cross the wire without TLS; false anywhere but in trusted places. */
  readonly plaintextLogin: boolean
  /** Pipelining, chunking and the like switched off by keyword, such as 'PIPELINING'. */
  readonly without: readonly string[]
  /** Content larger than this goes by BDAT where it can, in chunks of this size; 512 KB unless said. */
  readonly chunkOctets?: number
  readonly timeouts: Timeouts
  /** Attach the dialogue to every outcome, not to failures and deferrals alone. */
  readonly dialogueAlways: boolean
  /** Told of everything that is said and heard, as it happens. */
  readonly witness?: (event: Witnessed) => void
  /** Who the hop is, for outcomes: its name and address. */
  readonly host?: string
  readonly address?: string
  /** For SASL nonces. */
  readonly chance: (octets: number) => Uint8Array
  /** Ms since the epoch: looked at only where a message has a time to be at its end. */
  readonly now: () => number
}
