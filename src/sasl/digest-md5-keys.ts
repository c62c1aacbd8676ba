/**
 * What DIGEST-MD5 computes with (RFC 2831 §2.1.2.1). Its secret, H(name:realm:password), is as good as the
 * password in that realm; account/ keeps it where the operator has switched the mechanism on.
 */
import { createHash } from 'node:crypto'

/** H({ username ":" realm ":" passwd }): 16 octets. */
export function digestSecret(username: string, realm: string, password: string): Uint8Array {
  return md5(Buffer.concat([text(username), text(':'), text(realm), text(':'), text(password)]))
}

export interface DigestFacts {
  readonly nonce: string
  readonly cnonce: string
  /** Eight hexadecimal digits. */
  readonly nc: string
  readonly uri: string
  /** undefined where the client sent none. */
  readonly authzid?: string | undefined
}

/** response-value, and by `prefix` '' instead of 'AUTHENTICATE' that of rspauth (§2.1.3). */
export function digestResponse(
  secret: Uint8Array,
  { nonce, cnonce, nc, uri, authzid }: DigestFacts,
  prefix: 'AUTHENTICATE' | '',
): Uint8Array {
  const behind = [nonce, cnonce, ...(authzid === undefined ? [] : [authzid])]
  const a1 = md5(Buffer.concat([secret, Buffer.from(`:${behind.join(':')}`)]))
  const a2 = md5(Buffer.from(`${prefix}:${uri}`))
  const value = `${hex(a1)}:${nonce}:${nc}:${cnonce}:auth:${hex(a2)}`
  return Buffer.from(hex(md5(Buffer.from(value))))
}

/** §2.1.2.1: what fits into ISO 8859-1 is hashed in it, whatever it came in. */
function text(words: string): Uint8Array {
  return Buffer.from(words, /^[\0-\xff]*$/.test(words) ? 'latin1' : 'utf8')
}

function md5(octets: Uint8Array): Buffer {
  return createHash('md5').update(octets).digest()
}

function hex(octets: Buffer): string {
  return octets.toString('hex')
}
