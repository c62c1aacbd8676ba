/**
 * Enhanced status codes (RFC 3463, registry RFC 5248) and the replies they ride in.
 *
 * The class (2, 4, 5) is never written: it is derived from the basic reply code, so that the two
 * cannot disagree (RFC 2034 §4).
 */

/** Subject and detail of an enhanced status code: '1.1' in 5.1.1. */
export type Detail = `${number}.${number}`

/** What a server says: a basic code, the detail behind it, and one or more lines of text. */
export interface Reply {
  /** 200-599 (RFC 5321 §4.2). */
  readonly code: number
  /** Absent where the grammar has none: greeting, HELO/EHLO, 354, 334 (RFC 2034 §4). */
  readonly detail?: Detail
  /** At least one line, without CR and LF; each may be empty. */
  readonly lines: readonly string[]
}

/** The whole enhanced code of a reply, such as '5.1.1'; undefined where it has no detail. */
export function enhancedCode(reply: {
  readonly code: number
  readonly detail?: Detail
}): string | undefined {
  return reply.detail === undefined ? undefined : `${Math.floor(reply.code / 100)}.${reply.detail}`
}
