/**
 * Solicitation class keywords (RFC 3865 §2.2), such as `net.example:ADV`: in EHLO, in SOLICIT of MAIL, in the
 * field `Solicitation:` and in Received.
 *
 *     Solicitation-keywords = word 0*("," word)      ; at most 1000 characters
 *     word     = ALPHA 0*(wordchar)
 *     wordchar = ("." / "-" / "_" / ":" / ALPHA / DIGIT)
 */
const KEYWORDS = /^[a-z][\w.:-]*(?:,[a-z][\w.:-]*)*$/i
const LENGTH_MAX = 1000

/** Undefined where the text is none. */
export function parseSolicitations(text: string): readonly string[] | undefined {
  return text.length <= LENGTH_MAX && KEYWORDS.test(text) ? text.split(',') : undefined
}

export function formatSolicitations(keywords: readonly string[]): string {
  return keywords.join(',')
}

/** Those of a message that are among those not wanted, in any case of letters: names of domains begin them. */
export function unwantedOf(
  keywords: readonly string[],
  unwanted: readonly string[],
): readonly string[] {
  if (unwanted.length === 0) return []
  const names = new Set(unwanted.map(name => name.toLowerCase()))
  return keywords.filter(keyword => names.has(keyword.toLowerCase()))
}
