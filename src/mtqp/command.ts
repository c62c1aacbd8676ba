/**
 * A command line of MTQP (RFC 3887 §2.2, §12): a keyword in any case and what follows it, parted by spaces
 * or tabs. Called by the server's session; it knows no state and says nothing to the peer.
 */
import { decodeBase64 } from '../wire/base64.ts'
import { decodeXtext } from '../wire/xtext.ts'

/** The longest line with its CRLF (§2.2: 998 characters before it). */
export const LINE_MAX_OCTETS = 1_000

export type Command =
  /** The secret is what the client proves himself by (RFC 3885 §3). */
  | { readonly kind: 'track'; readonly envelopeId: string; readonly secret: Uint8Array }
  | { readonly kind: 'starttls'; readonly domain: string }
  | { readonly kind: 'comment' }
  | { readonly kind: 'quit' }
  | { readonly kind: 'bad'; readonly why: string }

const DOMAIN =
  /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$/

/**
 *     track-command    = "TRACK" 1*WSP unique-envid 1*WSP mtrk-secret CRLF
 *     starttls-command = "STARTTLS" 1*WSP domain *WSP CRLF
 *     comment-command  = "COMMENT" opt-text CRLF
 *     quit-command     = "QUIT" CRLF
 */
export function parseCommand(line: string): Command {
  if (!/^[\t\x20-\x7e]*$/.test(line)) return bad('printable ASCII alone makes a command')
  const [keyword = '', ...words] = line.split(/[ \t]+/)
  const given = words.filter(word => word !== '')
  switch (keyword.toUpperCase()) {
    case 'TRACK':
      return track(given)
    case 'STARTTLS': {
      const [domain = ''] = given
      const right = given.length === 1 && domain.length <= 255 && DOMAIN.test(domain)
      return right ? { kind: 'starttls', domain } : bad('syntax: STARTTLS domain')
    }
    case 'COMMENT':
      return { kind: 'comment' }
    case 'QUIT':
      return given.length === 0 ? { kind: 'quit' } : bad('QUIT takes no parameter')
    default:
      return bad('no such command')
  }
}

/** The name is xtext as in ENVID (RFC 3885 §3.2); the examples of §4.1 have it in angle brackets. */
function track([name = '', secret = '', ...more]: readonly string[]): Command {
  const bare = name.startsWith('<') && name.endsWith('>') ? name.slice(1, -1) : name
  const envelopeId = decodeXtext(bare)
  const octets = decodeBase64(secret) ?? decodeBase64(padded(secret))
  if (more.length > 0 || secret === '' || bare === '' || !envelopeId || !octets) {
    return bad('syntax: TRACK envelope-id secret')
  }
  return { kind: 'track', envelopeId, secret: octets }
}

function padded(text: string): string {
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

function bad(why: string): Command {
  return { kind: 'bad', why }
}
