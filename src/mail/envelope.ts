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
  /** AUTH= (RFC 4954 §5): a mailbox, or null for `<>`. */
  readonly submitter?: string | null
}

/** RCPT TO with its parameters. */
export interface Recipient {
  readonly forwardPath: Address
  /** NOTIFY=; absent is the default of RFC 3461 §4.1: FAILURE, perhaps DELAY. */
  readonly notify?: Notify
  /** ORCPT= decoded: address type and original address (RFC 3461 §4.2, RFC 6533 §3). */
  readonly originalRecipient?: { readonly type: string; readonly address: string }
}

export interface Envelope {
  readonly sender: Sender
  readonly recipients: readonly Recipient[]
}
