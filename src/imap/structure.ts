/**
 * ENVELOPE, BODY and BODYSTRUCTURE as FETCH writes them (RFC 9051 §7.5.2, §9 envelope, body). Given what
 * message/ has found; it looks at no message itself.
 */
import type { Envelope, EnvelopeAddress } from '../message/envelope.ts'
import type { LeafPart, MultiPart, Parameter, Part } from '../message/structure.ts'
import { formatNstring, octetsOf } from './encode.ts'

/** Deeper structures are told as if they ended here; message/ finds none deeper. */
const DEPTH_MAX = 100

export function formatEnvelope(envelope: Envelope, utf8: boolean): string {
  const string = (value: string | undefined) => text(value, utf8)
  const { date, subject, from, sender, replyTo, to, cc, bcc, inReplyTo, messageId } = envelope
  // RFC 9051 §7.5.2: where Sender or Reply-To is absent or empty, From stands in its place.
  const senders = sender.length > 0 ? sender : from
  const repliers = replyTo.length > 0 ? replyTo : from
  const lists = [from, senders, repliers, to, cc, bcc].map(list => addresses(list, utf8))
  return `(${string(date)} ${string(subject)} ${lists.join(' ')} ${string(inReplyTo)} ${string(messageId)})`
}

function addresses(list: readonly EnvelopeAddress[], utf8: boolean): string {
  if (list.length === 0) return 'NIL'
  const string = (value: string | undefined) => text(value, utf8)
  // The second is the source route of RFC 822, which nobody has.
  const one = ({ name, mailbox, host }: EnvelopeAddress) =>
    `(${string(name)} NIL ${string(mailbox)} ${string(host)})`
  return `(${list.map(one).join('')})`
}

function text(value: string | undefined, utf8: boolean): string {
  return formatNstring(value === undefined ? undefined : octetsOf(value), utf8)
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
  const inside = parts.length > 0 ? parts.join('') : '("text" "plain" NIL NIL NIL "7bit" 0 0)'
  const extension = manner.extended ? ` ${parameters(of.parameters, utf8)}${more(of, utf8)}` : ''
  return `(${inside} ${text(of.subtype, utf8)}${extension})`
}

/** body-type-1part: basic, text with its lines, or a message with envelope, structure and lines. */
function leaf(of: LeafPart, manner: Manner, depth: number): string {
  const { extended, utf8 } = manner
  const string = (value: string | undefined) => text(value, utf8)
  const fields = [
    text(of.type, utf8),
    text(of.subtype, utf8),
    parameters(of.parameters, utf8),
    string(of.id),
    string(of.description),
    text(of.encoding, utf8),
    String(of.bodyTo - of.bodyFrom),
  ]
  if (of.message !== undefined && depth < DEPTH_MAX) {
    const { envelope, root } = of.message
    fields.push(formatEnvelope(envelope, utf8), part(root, manner, depth + 1), String(of.lines))
  } else if (of.type === 'text') fields.push(String(of.lines))
  if (extended) fields.push(`${string(of.md5)}${more(of, utf8)}`)
  return `(${fields.join(' ')})`
}

/** SP body-fld-dsp SP body-fld-lang SP body-fld-loc. */
function more(of: Part, utf8: boolean): string {
  const { disposition, languages, location } = of
  const shown = disposition
    ? `(${text(disposition.type, utf8)} ${parameters(disposition.parameters, utf8)})`
    : 'NIL'
  const spoken =
    languages.length === 0
      ? 'NIL'
      : languages.length === 1
        ? text(languages[0], utf8)
        : `(${languages.map(each => text(each, utf8)).join(' ')})`
  return ` ${shown} ${spoken} ${text(location, utf8)}`
}

/** body-fld-param = "(" string SP string *(SP string SP string) ")" / nil. */
function parameters(list: readonly Parameter[], utf8: boolean): string {
  if (list.length === 0) return 'NIL'
  const strings = list.flat().map(each => text(each, utf8))
  return `(${strings.join(' ')})`
}
