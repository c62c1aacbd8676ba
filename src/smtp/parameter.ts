/**
 * Parameters of MAIL and RCPT (RFC 5321 §4.1.2), read here, judged by the extension that owns them.
 *
 *     Mail-parameters = esmtp-param *(SP esmtp-param)
 *     esmtp-param     = esmtp-keyword ["=" esmtp-value]
 *     esmtp-keyword   = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
 *     esmtp-value     = 1*(%d33-60 / %d62-126) / UTF8-non-ascii     ; RFC 6531 §3.3
 */

export interface Parameter {
  /** In capitals. */
  readonly keyword: string
  readonly value: string | undefined
}

const KEYWORD = /^[A-Z0-9][A-Z0-9-]*$/
const VALUE = /^[!-<>-~\u0080-\u{10ffff}]+$/u

/** `XVERP=+=` has a sign in it that no other value may have (VERP_README of Postfix). */
const VERP_VALUE = /^[!-~]+$/

const NONE: readonly Parameter[] = []

/** The parameters behind a path, or why they are malformed. Several spaces are taken for one. */
export function parseParameters(text: string, at: number): readonly Parameter[] | string {
  if (at >= text.length) return NONE
  if (text[at] !== ' ') return 'a space is missing before the parameters'
  const parameters: Parameter[] = []
  for (const word of text.slice(at).split(' ')) {
    if (word === '') continue
    const equals = word.indexOf('=')
    const keyword = (equals < 0 ? word : word.slice(0, equals)).toUpperCase()
    const value = equals < 0 ? undefined : word.slice(equals + 1)
    if (!KEYWORD.test(keyword)) return 'a parameter is malformed'
    const form = keyword === 'XVERP' ? VERP_VALUE : VALUE
    if (value !== undefined && !form.test(value)) return `the value of ${keyword} is malformed`
    if (parameters.some(other => other.keyword === keyword)) return `${keyword} is given twice`
    parameters.push({ keyword, value })
  }
  return parameters
}
