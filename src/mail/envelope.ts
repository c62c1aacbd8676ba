/** The envelope (RFC 5321 §2.3.1): who sends, who receives, and what was asked for either. */
import type { Address } from './address.ts'

/** BODY= of RFC 6152 and RFC 3030. */
export type BodyKind = '7BIT' | '8BITMIME' | 'BINARYMIME'

/** When the sender wants a delivery status notification (RFC 3461 §4.1). 'NEVER' stands alone. */
export type Notify = readonly ('SUCCESS' | 'FAILURE' | 'DELAY')[] | 'NEVER'

/** MAIL FROM with its parameters. */
export interface Sender {
  /** null is the null reverse-path `<>` of notices. */
  readonly reversePath: Address | null
  readonly body: BodyKind
  /** SMTPUTF8 (RFC 6531). */
  readonly utf8: boolean
  /** SIZE= as declared (RFC 1870), in octets. */
  readonly sizeOctets?: number
  /** RET= (RFC 3461 §4.3). */
  readonly ret?: 'FULL' | 'HDRS'
  /** ENVID= decoded from xtext (RFC 3461 §4.4). */
  readonly envelopeId?: string
  /** ENVID= as it came, where we would write it otherwise: it goes on octet for octet (RFC 3461 §5.2.1). */
  readonly envelopeIdAsWritten?: string
  /** AUTH= (RFC 4954 §5): a mailbox, or null for `<>`. */
  readonly submitter?: string | null
  /** TRANSID= (RFC 1845 §2), brackets and all: of this hop alone, never kept with the message. */
  readonly transactionId?: string
  /** BY= (RFC 2852 §4). */
  readonly deliverBy?: DeliverBy
  /** HOLDFOR= or HOLDUNTIL= (RFC 4865 §3): when it may go on. */
  readonly release?: Release
  /** MT-PRIORITY= (RFC 6710 §4): -9 to 9; absent is 0. */
  readonly priority?: number
  /** SOLICIT= (RFC 3865 §2.5): solicitation class keywords. */
  readonly solicitations?: readonly string[]
  /** REQUIRETLS (RFC 8689 §4.1). */
  readonly requireTls?: true
  /** The field `TLS-Required: No` (RFC 8689 §5): better late in the clear than not at all. */
  readonly tlsOptional?: true
  /** XVERP: each recipient has a reverse-path of his own, with these two signs in it. */
  readonly verp?: string
  /** It tells the postmaster of a notice that could not be delivered; nobody is told where it fails too. */
  readonly lastWord?: true
  /** What a body too large for memory was seen to be as it came, where besides no line of it begins with a dot. Ours alone. */
  readonly seen?: '7bit' | '8bit'
  /** What the rules of `rewrite` changed: the reverse-path it was submitted with, and fields written anew. For the record. */
  readonly rewritten?: { readonly reversePath?: string; readonly fields?: readonly string[] }
  /** MTRK= (RFC 3885 §3): the certifier in base64, and until when it may be asked, ms since the epoch. */
  readonly tracking?: { readonly certifier: string; readonly untilMs?: number }
}

/** BY= (RFC 2852 §4): by when, and what is to happen where that cannot be. */
export interface DeliverBy {
  /** The deliver-by-time, ms since the epoch: MAIL came so many seconds before it, or after it. */
  readonly atMs: number
  /** R returns what is late, N only notifies. */
  readonly mode: 'R' | 'N'
  /** T: who relays it tells the sender. */
  readonly trace: boolean
}

/** HOLDFOR= or HOLDUNTIL= (RFC 4865 §3): until when a message is held. */
export interface Release {
  /** Ms since the epoch, counted from MAIL. */
  readonly atMs: number
  /** As it was asked, for notices (§5.1.2): `for;3600` or `until;2026-11-27T04:00:00Z`. */
  readonly asked: string
}

/** RCPT TO with its parameters. */
export interface Recipient {
  readonly forwardPath: Address
  /** NOTIFY=; absent is the default of RFC 3461 §4.1: FAILURE, perhaps DELAY. */
  readonly notify?: Notify
  /** ORCPT= decoded: address type and original address (RFC 3461 §4.2, RFC 6533 §3). */
  readonly originalRecipient?: { readonly type: string; readonly address: string }
  /** What stood behind the type, where we would write it otherwise. */
  readonly originalAsWritten?: string
  /** It has had the message before: it gets it no more (RFC 9228). Ours alone, never said to a hop. */
  readonly looped?: true
  /** RRVS= (RFC 7293 §5.1): the mailbox must have had one owner since then, ms since the epoch. */
  readonly validSince?: { readonly atMs: number; readonly action: 'R' | 'C' }
  /** One of several behind an alias: a message that is tracked goes to him without its mark (RFC 3885 §3.3). */
  readonly unmarked?: true
}

export interface Envelope {
  readonly sender: Sender
  readonly recipients: readonly Recipient[]
}
