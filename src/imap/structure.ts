/**
 * ENVELOPE, BODY and BODYSTRUCTURE as FETCH writes them (RFC 9051 §7.5.2, §9 envelope, body). Given what
 * message/ has found; it looks at no message itself.
 */
import { NO_ADDRESS } from '../message/downgrade.ts'
import { decodeWords, encodeWords } from '../message/encoded-word.ts'
import type { Envelope, EnvelopeAddress } from '../message/envelope.ts'
import type { LeafPart, MultiPart, Parameter, Part } from '../message/structure.ts'
import { formatNstring, octetsOf } from './encode.ts'

/** Deeper structures are told as if they ended here; message/ finds none deeper. */
const DEPTH_MAX = 100

export function formatEnvelope(envelope: Envelope, utf8: boolean): string {
  const string = (value: string | undefined) => text(value, utf8)
  const words = (value: string | undefined) => spoken(value, utf8)
  const { date, subject, from, sender, replyTo, to, cc, bcc, inReplyTo, messageId } = envelope
  // RFC 9051 §7.5.2: where Sender or Reply-To is absent or empty, From stands in its place.
  const senders = sender.length > 0 ? sender : from
  const repliers = replyTo.length > 0 ? replyTo : from
  const lists = [from, senders, repliers, to, cc, bcc].map(list => addresses(list, utf8))
  return `(${string(date)} ${words(subject)} ${lists.join(' ')} ${string(inReplyTo)} ${string(messageId)})`
}

function addresses(list: readonly EnvelopeAddress[], utf8: boolean): string {
  if (list.length === 0) return 'NIL'
  const string = (value: string | undefined) => text(value, utf8)
  const one = (address: EnvelopeAddress) => {
    const { name, route, mailbox, host } = utf8 ? address : plainAddress(address)
    return `(${spoken(name, utf8)} ${string(route)} ${string(mailbox)} ${string(host)})`
  }
  return `(${list.map(one).join('')})`
}

/** RFC 6858 §2.1, as message/downgrade.ts writes it into the header; of a group only the name can be beyond ASCII. */
function plainAddress(address: EnvelopeAddress): EnvelopeAddress {
  const { name, mailbox = '', host } = address
  if (host === undefined) return mailbox === '' ? address : { mailbox: encodedWhere(mailbox) }
  const shown = `${mailbox}@${host}`
  if (!BEYOND_ASCII.test(shown)) return address
  const { local, domain } = NO_ADDRESS
  return {
    name: name === undefined ? shown : `${decodeWords(name)} ${shown}`,
    mailbox: local,
    host: domain,
  }
}

/** Text that somebody wrote: as encoded-words for who reads no UTF-8 (RFC 6858 §2.3). */
function spoken(value: string | undefined, utf8: boolean): string {
  return text(value === undefined || utf8 ? value : encodedWhere(value), utf8)
}

function encodedWhere(value: string): string {
  return BEYOND_ASCII.test(value) ? encodeWords(decodeWords(value)) : value
}

const BEYOND_ASCII = /[^\x00-\x7f]/

/** What cannot be said in ASCII is not there for who reads nothing else (RFC 6858 §2.4). */
function text(value: string | undefined, utf8: boolean): string {
  if (value === undefined || (!utf8 && BEYOND_ASCII.test(value))) return 'NIL'
  return formatNstring(octetsOf(value), utf8)
}

/** @param extended BODYSTRUCTURE; false leaves the extension data out, as BODY does. */
export function formatStructure(root: Part, extended: boolean, utf8: boolean): string {
  return part(root, { extended, utf8 }, 0)
}

interface Manner {
  readonly extended: boolean
  readonly utf8: boolean
}

function part(of: Part, manner: Manner, depth: number): string {
  return of.kind === 'multi' ? multi(of, manner, depth) : leaf(of, manner, depth)
}

/** body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]. */
function multi(of: MultiPart, manner: Manner, depth: number): string {
  const { utf8 } = manner
  const deep = depth >= DEPTH_MAX
  const parts = deep ? [] : of.parts.map(each => part(each, manner, depth + 1))
  // The grammar wants one part at least, and a multipart may have none.
  const inside = parts.length > 0 ? parts.join('') : NO_PART
  const extension = manner.extended ? ` ${parameters(of.parameters, utf8)}${more(of, utf8)}` : ''
  return `(${inside} ${named(of.subtype, utf8, 'mixed')}${extension})`
}

/** media-message: what is not looked into, since it is encoded or lies too deep, must have all of it to be read. */
function isMessage({ type, subtype }: LeafPart): boolean {
  return type === 'message' && (subtype === 'rfc822' || subtype === 'global')
}

const NO_PART = '("text" "plain" NIL NIL NIL "7bit" 0 0)'
const NO_ENVELOPE = `(${Array(10).fill('NIL').join(' ')})`

/** body-type-1part: basic, text with its lines, or a message with envelope, structure and lines. */
function leaf(of: LeafPart, manner: Manner, depth: number): string {
  const { extended, utf8 } = manner
  const string = (value: string | undefined) => text(value, utf8)
  const fields = [
    named(of.type, utf8, 'application'),
    named(of.subtype, utf8, 'octet-stream'),
    parameters(of.parameters, utf8),
    string(of.id),
    spoken(of.description, utf8),
    named(of.encoding, utf8, '7bit'),
    String(of.bodyTo - of.bodyFrom),
  ]
  if (of.message !== undefined && depth < DEPTH_MAX) {
    const { envelope, root } = of.message
    fields.push(formatEnvelope(envelope, utf8), part(root, manner, depth + 1), String(of.lines))
  } else if (isMessage(of)) fields.push(NO_ENVELOPE, NO_PART, String(of.lines))
  else if (of.type === 'text') fields.push(String(of.lines))
  if (extended) fields.push(`${string(of.md5)}${more(of, utf8)}`)
  return `(${fields.join(' ')})`
}

/** SP body-fld-dsp SP body-fld-lang SP body-fld-loc. */
function more(of: Part, utf8: boolean): string {
  const { disposition, languages, location } = of
  const shown = disposition
    ? `(${named(disposition.type, utf8, 'attachment')} ${parameters(disposition.parameters, utf8)})`
    : 'NIL'
  const told = languages.filter(each => utf8 || !BEYOND_ASCII.test(each))
  const tongues =
    told.length < 2 ? text(told[0], utf8) : `(${told.map(each => text(each, utf8)).join(' ')})`
  return ` ${shown} ${tongues} ${text(location, utf8)}`
}

/** A string that must be there. */
function named(value: string, utf8: boolean, otherwise: string): string {
  return text(!utf8 && BEYOND_ASCII.test(value) ? otherwise : value, utf8)
}

/** body-fld-param = "(" string SP string *(SP string SP string) ")" / nil. */
function parameters(list: readonly Parameter[], utf8: boolean): string {
  if (list.length === 0) return 'NIL'
  // RFC 6858 §2.2.
  const said = utf8 ? list : list.filter(pair => !pair.some(each => BEYOND_ASCII.test(each)))
  if (said.length === 0) return 'NIL'
  const strings = said.flat().map(each => text(each, utf8))
  return `(${strings.join(' ')})`
}
