/**
 * Trace fields: `Received:`, `Return-Path:` and `Delivered-To:` (RFC 5321 §4.4, RFC 8314 §4.3).
 *
 * Called at every accept and every local delivery. What a peer said of itself is written into a
 * field of ours here, so every such string is stripped of whatever could end the field, open a
 * comment or forge another clause. Nothing here reads a clock or a message.
 */
import { formatDate } from '../wire/date.ts'
import type { Endpoint, TlsFacts } from '../wire/effect.ts'
import { type Address, formatAddress, formatPath, isAscii } from './address.ts'

/** How a message came in, as far as the `with` clause tells it. */
export interface Manner {
  readonly protocol: 'smtp' | 'lmtp'
  /** EHLO or LHLO was said. */
  readonly extended: boolean
  readonly authenticated: boolean
  /** SMTPUTF8 was asked for in MAIL. */
  readonly utf8: boolean
}

/** What a `Received:` field says. */
export interface Reception extends Manner {
  /** What the peer called itself; '' where it did not. */
  readonly hello: string
  readonly remote: Endpoint
  /** The verified reverse name of the peer's address, where there is one. */
  readonly reverseName?: string
  /** Our own name. */
  readonly by: string
  readonly tls?: TlsFacts
  /** The message's stable id. */
  readonly id: string
  /**
   * The only recipient. Must be left out where there are several: naming one would disclose a
   * blind copy (RFC 5321 §7.2, §7.6).
   */
  readonly recipient?: Address
  /** Solicitation classes, where any were named (RFC 3865 §2.6). */
  readonly solicitations?: readonly string[]
  /** MT-PRIORITY, where it was asked for (RFC 6710 §4.1 (2)). */
  readonly priority?: number
  readonly timeMs: number
}

const LINE_MAX_CHARS = 78
/** A domain has at most 255 octets (RFC 5321 §4.5.3.1.2). */
const NAME_MAX_CHARS = 255
/** A longer path is left out: RFC 5322 §2.1.1 has 998 octets for the line. */
const PATH_MAX_CHARS = 900

/** The protocol type: RFC 3848, RFC 6531 §4.3. Plain `SMTP` is HELO; what HELO may not do is not told. */
export function withClause(manner: Manner, tls: boolean): string {
  if (manner.protocol === 'smtp' && !manner.extended) return 'SMTP'
  const base = manner.protocol === 'lmtp' ? 'LMTP' : manner.utf8 ? 'SMTP' : 'ESMTP'
  const suffix = `${tls ? 'S' : ''}${manner.authenticated ? 'A' : ''}`
  return `${manner.utf8 ? 'UTF8' : ''}${base}${suffix}`
}

/** A name a peer gave, with every character outside a domain or address literal made `?`. */
function safeName(name: string): string {
  return name.slice(0, NAME_MAX_CHARS).replace(/[^\w.:\-[\]]/g, '?')
}

/** `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3); '' for a peer without an address. */
export function addressLiteral(address: string): string {
  const safe = address.replace(/[^\w.:%-]/g, '')
  if (safe.includes(':')) {
    // An IPv4 peer on an IPv6 socket is an IPv4 peer; a zone index means nothing elsewhere.
    const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(safe)
    if (mapped?.[1] !== undefined) return `[${mapped[1]}]`
    return `[IPv6:${safe.split('%')[0] ?? ''}]`
  }
  return /^\d+\.\d+\.\d+\.\d+$/.test(safe) ? `[${safe}]` : ''
}

/**
 * ```
 * Extended-Domain = Domain / ( Domain FWS "(" TCP-info ")" ) / ( address-literal FWS "(" TCP-info ")" )
 * TCP-info        = address-literal / ( Domain FWS address-literal )
 * ```
 */
function fromClause(reception: Pick<Reception, 'hello' | 'remote' | 'reverseName'>): string[] {
  const literal = addressLiteral(reception.remote.address)
  const hello = safeName(reception.hello)
  const who = hello !== '' ? hello : literal !== '' ? literal : 'localhost'
  if (literal === '') return ['from', who]
  const name = safeName(reception.reverseName ?? '')
  return name === '' ? ['from', who, `(${literal})`] : ['from', who, `(${name}`, `${literal})`]
}

/** Words joined by spaces, and by a fold where a line would grow over 78 characters. */
class Folded {
  text = ''
  #length = 0

  /** Goes on where `from` ends, which stays as it is. */
  constructor(from?: Folded) {
    if (from === undefined) return
    this.text = from.text
    this.#length = from.#length
  }

  add(word: string): void {
    if (this.text !== '' && this.#length + 1 + word.length > LINE_MAX_CHARS) {
      this.text += `\r\n\t${word}`
      this.#length = 8 + word.length
    } else {
      this.#length += word.length + (this.#length === 0 ? 0 : 1)
      this.text += this.text === '' ? word : ` ${word}`
    }
  }
}

/** An address that fits on one line of a header and cannot end it. */
function fitsHeader(text: string): boolean {
  return text.length <= PATH_MAX_CHARS && !/[\u0000-\u001f\u007f]/.test(text)
}

/** A cipher suite by its name in the registry of TLS. */
const CIPHER_SUITE = /^TLS_[A-Z0-9_]{1,100}$/

/** How the connection was secured; and whose certificate the peer showed, if any. */
function tlsComment({ protocol, cipher, peerName, verified }: TlsFacts): string[] {
  const words = [`(${safeName(protocol)}`]
  if (!CIPHER_SUITE.test(cipher)) words.push(safeName(cipher))
  if (peerName !== undefined) {
    words.push('certificate', safeName(peerName), ...(verified ? [] : ['not']), 'verified')
  }
  return [...words.slice(0, -1), `${words.at(-1)})`]
}

/** How a `Received:` field begins: with what is the same for every message of a connection. */
export type Opening = Folded

export function openReceived(facts: Pick<Reception, 'hello' | 'remote' | 'reverseName' | 'by'>) {
  const opening = new Folded()
  for (const word of ['Received:', ...fromClause(facts), 'by', safeName(facts.by)]) {
    opening.add(word)
  }
  return opening
}

/**
 * The whole `Received:` field with its CRLF, folded (RFC 5321 §4.4, Time-stamp-line).
 * @param opening `openReceived` of the same facts, where it was kept
 */
export function formatReceived(reception: Reception, opening?: Opening): string {
  const { tls, recipient, priority, solicitations } = reception
  const words = ['with', withClause(reception, tls !== undefined)]
  const classes = solicitations?.join(',') ?? ''
  if (classes !== '' && classes.length <= PATH_MAX_CHARS) words.push(`(SOLICIT=${classes})`)
  if (tls !== undefined) words.push(...tlsComment(tls))
  const id = reception.id.slice(0, NAME_MAX_CHARS).replace(/[^\w.-]/g, '?')
  if (id !== '') words.push('id', id)
  if (recipient !== undefined) {
    const path = formatPath(recipient)
    // RFC 6531 §3.7.3: a UTF-8 address stands in a trace field only of an internationalised message.
    if (fitsHeader(path) && (reception.utf8 || isAscii(path))) words.push('for', path)
  }
  // RFC 8314 §4.3; other forms of a name stand in the comment.
  if (tls !== undefined && CIPHER_SUITE.test(tls.cipher)) words.push('tls', tls.cipher)
  if (priority !== undefined) words.push('PRIORITY', String(priority))
  words.push(`${words.pop()};`)
  const folded = new Folded(opening ?? openReceived(reception))
  for (const word of words) folded.add(word)
  for (const word of dateWords(reception.timeMs)) folded.add(word)
  return `${folded.text}\r\n`
}

let datedSecond = Number.NaN
let datedWords: readonly string[] = []

/** The words of a date; a busy second needs them many times. */
function dateWords(timeMs: number): readonly string[] {
  const second = Math.floor(timeMs / 1000)
  if (second !== datedSecond) {
    datedSecond = second
    datedWords = formatDate(timeMs).split(' ')
  }
  return datedWords
}

/** Control characters cannot stand in a header; an address that has them was never accepted. */
function safeAddress(text: string): string {
  return text.slice(0, PATH_MAX_CHARS).replace(/[\u0000-\u001f\u007f]/g, '?')
}

/** `Return-Path: <address>` or `<>`, added once, at final delivery (RFC 5321 §4.4). */
export function formatReturnPath(reversePath: Address | null): string {
  return `Return-Path: ${safeAddress(formatPath(reversePath))}\r\n`
}

/** `Delivered-To: address` (RFC 9228), by which a delivery loop is seen. */
export function formatDeliveredTo(address: Address): string {
  return `Delivered-To: ${safeAddress(formatAddress(address))}\r\n`
}

/** How many hosts have passed the message on: its `Received:` fields (RFC 5321 §6.3). */
export function hopCount(header: { count(name: string): number }): number {
  return header.count('received')
}
