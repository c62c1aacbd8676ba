/**
 * The messages of DIGEST-MD5 (RFC 2831 §2.1): directives, read strictly and never by throwing.
 *
 *   directives = 1#( token "=" ( token / quoted-string ) )
 */

/** The directives of a message by name in lower case; `realm` may stand in a challenge many times. */
export type Directives = ReadonlyMap<string, readonly string[]>

const DIRECTIVE =
  /[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+.^_`|~0-9A-Za-z/:@-]+)))?[ \t]*(?:,|$)/sy

/** No message of §2.1 is longer (§2.1.1, §2.1.2). */
const MESSAGE_MAX = 4096

/** Reads a message; undefined for what is none. Octets are given as latin1 or UTF-8 text, as `charset` says. */
export function parseDirectives(text: string): Directives | undefined {
  if (text.length > MESSAGE_MAX) return undefined
  const found = new Map<string, string[]>()
  DIRECTIVE.lastIndex = 0
  while (DIRECTIVE.lastIndex < text.length) {
    const match = DIRECTIVE.exec(text)
    if (match === null) return undefined
    const [, name, quoted, token] = match
    // 1#rule: empty elements are allowed between commas.
    if (name === undefined) continue
    const value = token ?? (quoted ?? '').replace(/\\(.)/gs, '$1')
    const key = name.toLowerCase()
    found.set(key, [...(found.get(key) ?? []), value])
  }
  return found.size === 0 ? undefined : found
}

/** The one value of a directive; undefined where there is none, or more than one (§2.1.2: error). */
export function single(directives: Directives, name: string): string | undefined {
  const values = directives.get(name)
  return values?.length === 1 ? values[0] : undefined
}

/** A quoted-string. */
export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}
