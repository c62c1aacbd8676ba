/**
 * The messages of SCRAM (RFC 5802 §7), read strictly and never by throwing. Their text is UTF-8
 * without NUL (`decodeText`), as every value of the grammar is.
 *
 *   client-first-message  = gs2-header client-first-message-bare
 *   gs2-header            = gs2-cbind-flag "," [ authzid ] ","
 *   gs2-cbind-flag        = ("p=" cb-name) / "n" / "y"
 *   client-first-message-bare = [reserved-mext ","] username "," nonce ["," extensions]
 *   server-first-message  = [reserved-mext ","] nonce "," salt "," iteration-count ["," extensions]
 *   client-final-message  = channel-binding "," nonce ["," extensions] "," proof
 *   server-final-message  = (server-error / verifier) ["," extensions]
 */

export interface ClientFirst {
  /** As sent, with its last comma: what the channel-binding data must repeat. */
  readonly gs2Header: string
  readonly binding: 'n' | 'y' | 'p'
  /** The cb-name where `binding` is 'p'. */
  readonly bindingName: string
  /** '' where none was named. */
  readonly authzid: string
  readonly username: string
  readonly nonce: string
  /** client-first-message-bare, as sent. */
  readonly bare: string
}

export interface ServerFirst {
  readonly nonce: string
  readonly salt: Uint8Array
  readonly iterations: number
}

export interface ClientFinal {
  /** The decoded `c=`: the gs2-header, then the channel's own data. */
  readonly bindingData: Uint8Array
  readonly nonce: string
  readonly proof: Uint8Array
  /** client-final-message-without-proof, as sent. */
  readonly withoutProof: string
}

/** printable = %x21-2B / %x2D-7E: visible ASCII but the comma. */
const NONCE = /^r=([!-+\--~]+)$/
/** extensions = attr-val: a letter and a value without comma. The unknown ones are ignored (§5.1). */
const EXTENSION = /^[A-Za-z]=[^,]+$/
/** cb-name = 1*(ALPHA / DIGIT / "." / "-") (RFC 5056 §7). */
const BINDING = /^p=([A-Za-z0-9.-]+)$/
/** posit-number = %x31-39 *DIGIT; ten digits are more than any server asks. */
const ITERATIONS = /^i=([1-9][0-9]{0,9})$/

/** Reads a client-first-message. A reserved `m=` is refused, as it must be (§5.1). */
export function parseClientFirst(text: string): ClientFirst | undefined {
  const [flag = '', authzidPart, ...rest] = text.split(',')
  const [usernamePart, noncePart, ...extensions] = rest
  if (authzidPart === undefined || usernamePart === undefined || noncePart === undefined)
    return undefined
  const bindingName = BINDING.exec(flag)?.[1]
  if (flag !== 'n' && flag !== 'y' && bindingName === undefined) return undefined
  const authzid = authzidPart === '' ? '' : parseName('a=', authzidPart)
  const username = parseName('n=', usernamePart)
  const nonce = NONCE.exec(noncePart)?.[1]
  if (authzid === undefined || username === undefined || nonce === undefined) return undefined
  if (!extensions.every(isExtension)) return undefined
  return {
    gs2Header: `${flag},${authzidPart},`,
    binding: flag === 'n' || flag === 'y' ? flag : 'p',
    bindingName: bindingName ?? '',
    authzid,
    username,
    nonce,
    bare: rest.join(','),
  }
}

/** Reads a server-first-message. */
export function parseServerFirst(text: string): ServerFirst | undefined {
  const [noncePart = '', saltPart = '', iterationsPart = '', ...extensions] = text.split(',')
  const nonce = NONCE.exec(noncePart)?.[1]
  const salt = parseOctets('s=', saltPart)
  const iterations = ITERATIONS.exec(iterationsPart)?.[1]
  if (nonce === undefined || salt === undefined || iterations === undefined) return undefined
  if (!extensions.every(isExtension)) return undefined
  return { nonce, salt, iterations: Number(iterations) }
}

/** Reads a client-final-message. */
export function parseClientFinal(text: string): ClientFinal | undefined {
  const parts = text.split(',')
  const proofPart = parts.pop() ?? ''
  const [bindingPart = '', noncePart = '', ...extensions] = parts
  const bindingData = parseOctets('c=', bindingPart)
  const nonce = NONCE.exec(noncePart)?.[1]
  const proof = parseOctets('p=', proofPart)
  if (bindingData === undefined || nonce === undefined || proof === undefined) return undefined
  if (!extensions.every(isExtension)) return undefined
  return { bindingData, nonce, proof, withoutProof: parts.join(',') }
}

/** The server's signature in a server-final-message; undefined for `e=` and for anything else. */
export function parseServerFinal(text: string): Uint8Array | undefined {
  const [verifierPart = '', ...extensions] = text.split(',')
  return extensions.every(isExtension) ? parseOctets('v=', verifierPart) : undefined
}

/** saslname: comma and equals sign written as =2C and =3D (§5.1). */
export function formatName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C')
}

/** base64 = RFC 4648 §4 with padding, and nothing else: what decodes must encode to the same text. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const octets = Buffer.from(text, 'base64')
  return octets.toString('base64') === text ? octets : undefined
}

export function encodeBase64(octets: Uint8Array): string {
  return Buffer.from(octets).toString('base64')
}

/** saslname = 1*(value-safe-char / "=2C" / "=3D"): any other use of '=' is an error. */
export function parseName(prefix: string, text: string): string | undefined {
  const name = text.slice(prefix.length)
  if (!text.startsWith(prefix) || name === '') return undefined
  const pieces = name.split('=')
  let decoded = pieces[0] ?? ''
  for (const piece of pieces.slice(1)) {
    const code = piece.slice(0, 2)
    if (code !== '2C' && code !== '3D') return undefined
    decoded += (code === '2C' ? ',' : '=') + piece.slice(2)
  }
  return decoded
}

function parseOctets(prefix: string, text: string): Uint8Array | undefined {
  const octets = text.startsWith(prefix) ? decodeBase64(text.slice(prefix.length)) : undefined
  return octets === undefined || octets.length === 0 ? undefined : octets
}

function isExtension(text: string): boolean {
  return EXTENSION.test(text) && !text.startsWith('m=')
}
