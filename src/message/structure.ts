/**
 * The MIME structure of a message (RFC 2045, RFC 2046) as IMAP tells it (RFC 9051 §7.5.2 BODYSTRUCTURE):
 * a tree of parts, each with its fields and the octets it has. Offsets count from the first
 * octet of the scanned content, so that a part can be read without scanning again.
 */

import type { Envelope } from './envelope.ts'

/** name and value of a Content-Type or Content-Disposition parameter, as it stands. */
export type Parameter = readonly [name: string, value: string]

interface Anywhere {
  /** The first octet of the part's own header. */
  readonly headerFrom: number
  /** Behind its header and the blank line. */
  readonly bodyFrom: number
  /** Behind its last octet; the line end before a boundary is not in it (RFC 2046 §5.1.1). */
  readonly bodyTo: number
  readonly parameters: readonly Parameter[]
  readonly disposition?: { readonly type: string; readonly parameters: readonly Parameter[] }
  readonly languages: readonly string[]
  readonly location?: string
}

/** A leaf, message/rfc822 among them. */
export interface LeafPart extends Anywhere {
  readonly kind: 'leaf'
  /** In lower case, as `subtype`. */
  readonly type: string
  readonly subtype: string
  readonly id?: string
  readonly description?: string
  /** Content-Transfer-Encoding in lower case; '7bit' where there is none. */
  readonly encoding: string
  readonly md5?: string
  /** Line ends in its octets, the encoding not undone. */
  readonly lines: number
  /** Of message/rfc822 and message/global: what is in it. Its offsets are of the same content. */
  readonly message?: { readonly envelope: Envelope; readonly root: Part }
}

export interface MultiPart extends Anywhere {
  readonly kind: 'multi'
  readonly subtype: string
  readonly parts: readonly Part[]
}

export type Part = LeafPart | MultiPart
