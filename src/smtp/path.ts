/**
 * Reverse-paths and forward-paths (RFC 5321 §4.1.2) with the UTF-8 of RFC 6531 §3.3, read by
 * hand in one pass. Called by the MAIL and RCPT verbs; source routes are read and
 * forgotten (RFC 5321 Appendix C). Whether UTF-8 was allowed is for the caller to judge by `ascii`.
 *
 *     Reverse-path = Path / "<>"
 *     Forward-path = Path            ; and "<Postmaster>" (RFC 5321 §4.1.1.3)
 *     Path         = "<" [ A-d-l ":" ] Mailbox ">"
 *     A-d-l        = At-domain *( "," At-domain )
 *     At-domain    = "@" Domain
 *     Mailbox      = Local-part "@" ( Domain / address-literal )
 *     Local-part   = Dot-string / Quoted-string
 */
import type { Address } from '../mail/address.ts'
import { isAscii } from '../mail/address.ts'
import { parseDomain, parseLiteral } from './domain.ts'

/** RFC 5321 §4.5.3.1.1 and §4.5.3.1.3, in octets. */
const LOCAL_MAX = 64
const PATH_MAX = 256

export type Path =
  | {
      readonly ok: true
      /** null is `<>`. */
      readonly address: Address | null
      /** Index behind the closing bracket. */
      readonly next: number
      /** False where the address needs SMTPUTF8. */
      readonly ascii: boolean
      /** A source route stood before the address, and was left out (§4.1.1.3, Appendix C). */
      readonly routed?: true
    }
  | { readonly ok: false; readonly why: string }

/** The path of MAIL, which may be null. */
export function parseReversePath(text: string, at = 0): Path {
  if (text.startsWith('<>', at)) return { ok: true, address: null, next: at + 2, ascii: true }
  return parsePath(text, at)
}

/** The path of RCPT: never null, but `<Postmaster>` needs no domain (§4.1.1.3, in any case). */
export function parseForwardPath(text: string, at = 0): Path {
  if (POSTMASTER.test(text.slice(at, at + 12))) {
    const local = text.slice(at + 1, at + 11)
    return { ok: true, address: { local, domain: '' }, next: at + 12, ascii: true }
  }
  if (text.startsWith('<>', at)) return bad('a recipient cannot be the null path')
  return parsePath(text, at)
}

const POSTMASTER = /^<postmaster>$/i

/** An address without angle brackets, all of `text`: AUTH=, the command line, configuration. */
export function parseMailbox(text: string): Address | undefined {
  const path = parsePath(`<${text}>`, 0)
  return path.ok && path.next === text.length + 2 && !text.startsWith('@')
    ? (path.address ?? undefined)
    : undefined
}

function parsePath(text: string, at: number): Path {
  if (text[at] !== '<') return bad('the address must stand in angle brackets')
  let next = at + 1
  const routed = text[next] === '@'
  if (routed) {
    next = skipRoute(text, next)
    if (next < 0) return bad('the source route is malformed')
  }
  const local = text[next] === '"' ? quotedString(text, next) : dotString(text, next)
  if (local === undefined) return bad('the local part is malformed')
  if (octetsOf(local.text) > LOCAL_MAX) return bad('the local part is longer than 64 octets')
  if (text[local.next] !== '@') return bad('the address has no domain')
  const domain = parseHost(text, local.next + 1)
  if (domain === undefined) return bad('the domain is malformed')
  if (text[domain.next] !== '>') return bad('the address does not end with an angle bracket')
  next = domain.next + 1
  const path = text.slice(at, next)
  if (path.length > PATH_MAX || octetsOf(path) > PATH_MAX) {
    return bad('the path is longer than 256 octets')
  }
  const address = { local: local.text, domain: domain.text }
  const ascii = isAscii(local.text) && isAscii(domain.text)
  return { ok: true, address, next, ascii, ...(routed && { routed }) }
}

interface Piece {
  readonly text: string
  readonly next: number
}

function parseHost(text: string, at: number): Piece | undefined {
  return text[at] === '[' ? parseLiteral(text, at) : parseDomain(text, at)
}

/** Behind the colon of `@a,@b:`, or -1. */
function skipRoute(text: string, at: number): number {
  let next = at
  for (;;) {
    if (text[next] !== '@') return -1
    const domain = parseDomain(text, next + 1)
    if (domain === undefined) return -1
    next = domain.next
    if (text[next] === ':') return next + 1
    if (text[next] !== ',') return -1
    next += 1
  }
}

/** Dot-string = Atom *("." Atom), Atom = 1*( atext / UTF8-non-ascii ). */
function dotString(text: string, at: number): Piece | undefined {
  let next = at
  let atomStart = at
  for (; next < text.length; next++) {
    const code = text.charCodeAt(next)
    if (code === 0x2e) {
      if (next === atomStart) return undefined
      atomStart = next + 1
    } else if (code < 0x80 && ATEXT[code] !== 1) break
    else if (code >= 0x80 && code <= 0x9f) return undefined
  }
  return next === atomStart ? undefined : { text: text.slice(at, next), next }
}

/** atext of RFC 5322 §3.2.3 as a table of ASCII codes. */
const ATEXT = new Uint8Array(128)
for (const character of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~") {
  ATEXT[character.charCodeAt(0)] = 1
}

/**
 *     Quoted-string  = DQUOTE *QcontentSMTP DQUOTE
 *     QcontentSMTP   = qtextSMTP / quoted-pairSMTP
 *     quoted-pairSMTP = %d92 %d32-126
 *     qtextSMTP      = %d32-33 / %d35-91 / %d93-126 / UTF8-non-ascii
 */
function quotedString(text: string, at: number): Piece | undefined {
  let decoded = ''
  let from = at + 1
  for (let next = from; next < text.length; next++) {
    const code = text.charCodeAt(next)
    if (code === 0x22) return { text: decoded + text.slice(from, next), next: next + 1 }
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return undefined
    if (code === 0x5c) {
      const escaped = text.charCodeAt(next + 1)
      if (!(escaped >= 0x20 && escaped <= 0x7e)) return undefined
      decoded += text.slice(from, next)
      from = next + 1
      next += 1
    }
  }
  return undefined
}

function octetsOf(text: string): number {
  return isAscii(text) ? text.length : Buffer.byteLength(text)
}

function bad(why: string): Path {
  return { ok: false, why }
}
