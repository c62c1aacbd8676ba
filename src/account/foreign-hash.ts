/**
 * Password hashes of other servers, in Dovecot's writing `{SCHEME}data` (also `{SCHEME.hex}`, `{SCHEME.b64}`),
 * or bare as a shadow file has them: which there are. Whose password one is finds foreign-hash-check.ts.
 */

/** Whether a password is the one behind a foreign hash. Rejects where it could not be found out. */
export type CheckForeign = (hash: string, password: string) => Promise<boolean>

const SCHEMES = [
  ...(['PLAIN', 'CLEARTEXT', 'CLEAR', 'SHA', 'SHA1', 'SSHA', 'SHA256', 'SSHA256'] as const),
  ...(['SHA512', 'SSHA512', 'SMD5', 'LDAP-MD5', 'PLAIN-MD5', 'SHA256-CRYPT'] as const),
  ...(['SHA512-CRYPT', 'BLF-CRYPT', 'ARGON2I', 'ARGON2ID', 'PBKDF2'] as const),
]

export type ForeignScheme = (typeof SCHEMES)[number]

export const foreignSchemes: readonly string[] = [...SCHEMES, 'CRYPT']

export interface ForeignHash {
  readonly scheme: ForeignScheme
  readonly data: string
  readonly encoding: 'hex' | 'base64' | undefined
}

/** What stands in front of a hash that has no scheme of its own. */
const BARE: readonly (readonly [RegExp, ForeignScheme])[] = [
  [/^\$6\$/, 'SHA512-CRYPT'],
  [/^\$5\$/, 'SHA256-CRYPT'],
  [/^\$2[abxy]\$/, 'BLF-CRYPT'],
  [/^\$argon2(?:id|i|d)\$/, 'ARGON2ID'],
]

/** Whether a text is a hash that can be checked here. */
export function isForeignHash(text: string): boolean {
  return readForeignHash(text) !== undefined
}

export function readForeignHash(text: string): ForeignHash | undefined {
  const bare = BARE.find(([form]) => form.test(text))
  if (bare !== undefined) return { scheme: bare[1], data: text, encoding: undefined }
  const [, name = '', suffix = '', data = ''] =
    /^\{([A-Za-z0-9-]+)(?:\.(hex|b64|base64))?\}(.+)$/i.exec(text) ?? []
  const wanted = name.toUpperCase()
  if (wanted === 'CRYPT') return readForeignHash(data)
  const scheme = SCHEMES.find(one => one === wanted)
  if (scheme === undefined) return undefined
  const encoding = suffix === '' ? undefined : suffix.toLowerCase() === 'hex' ? 'hex' : 'base64'
  return { scheme, data, encoding }
}
