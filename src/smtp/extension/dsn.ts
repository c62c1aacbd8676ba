/** DSN (RFC 3461 §4): what the sender wants to hear of its message. RFC 6533 §3 for UTF-8 addresses. */
import type { Notify, Sender } from '../../mail/envelope.ts'
import { decodeXtext, encodeXtext } from '../../wire/xtext.ts'
import { replies } from '../replies.ts'
import type { Extension } from './extension.ts'

export const dsn: Extension = {
  keyword: 'DSN',
  rfcs: [3461, 6533],
  help: 'what the sender wants to hear of its message',
  offer: () => 'DSN',
  // " RET=FULL" and " ENVID=" with 100 characters; " NOTIFY=SUCCESS,FAILURE,DELAY" and " ORCPT=" with 500.
  mailOctets: 116,
  rcptOctets: 536,
  mail: {
    /** ret-value = "FULL" / "HDRS" (§4.3). */
    RET(value, draft) {
      const kind = value?.toUpperCase()
      if (kind !== 'FULL' && kind !== 'HDRS') return replies.badParameter('RET')
      draft.ret = kind
      return undefined
    },
    /** envid-parameter = xtext of printable characters, at most 100 on the wire (§4.4). */
    ENVID(value, draft) {
      const text = value === undefined || value.length > 100 ? undefined : decodeXtext(value)
      if (value === undefined || text === undefined || !PRINTABLE.test(text))
        return replies.badParameter('ENVID')
      draft.envelopeId = text
      if (value !== encodeXtext(text)) draft.envelopeIdAsWritten = value
      return undefined
    },
  },
  rcpt: {
    NOTIFY(value, draft) {
      const notify = parseNotify(value)
      if (notify === undefined) return replies.badParameter('NOTIFY')
      draft.notify = notify
      return undefined
    },
    /** original-recipient-address = addr-type ";" xtext, at most 500 on the wire (§4.2). */
    ORCPT(value, draft, { utf8 }) {
      const semicolon = value === undefined || value.length > 500 ? -1 : value.indexOf(';')
      if (value === undefined || semicolon < 0) return replies.badParameter('ORCPT')
      // RFC 3461 §5.2.1 (d): not even its case may change on the way.
      const type = value.slice(0, semicolon)
      const armoured = value.slice(semicolon + 1)
      const address = decodeOriginal(type, armoured, utf8)
      if (!ATOM.test(type) || address === undefined) return replies.badParameter('ORCPT')
      draft.originalRecipient = { type, address }
      if (armoured !== originalAddress(type, address, utf8)) draft.originalAsWritten = armoured
      return undefined
    },
  },
  writeMail(sender) {
    return (sender.ret === undefined ? '' : ` RET=${sender.ret}`) + envidOf(sender)
  },
  writeRcpt({ notify, originalRecipient: original, originalAsWritten: written }, { utf8 }) {
    let text = ''
    if (notify !== undefined && notify.length > 0) {
      text += ` NOTIFY=${notify === 'NEVER' ? notify : notify.join(',')}`
    }
    if (original !== undefined) {
      const { type, address } = original
      // An alias may have put another in its place, and a hop may take no UTF-8.
      const same = written !== undefined && decodeOriginal(type, written, utf8) === address
      text += ` ORCPT=${type};${same ? written : originalAddress(type, address, utf8)}`
    }
    return text
  },
}

/** ENVID, as it came where that still says the same. */
export function envidOf({ envelopeId, envelopeIdAsWritten: written }: Sender): string {
  if (envelopeId === undefined) return ''
  const same = written !== undefined && decodeXtext(written) === envelopeId
  return ` ENVID=${same ? written : encodeXtext(envelopeId)}`
}

/** RFC 3461 §4.4: decoded, an ENVID is printable US-ASCII, spaces included. */
const PRINTABLE = /^[\x20-\x7e]+$/
const ATOM = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+$/

function decodeOriginal(type: string, armoured: string, utf8: boolean): string | undefined {
  return type.toLowerCase() === 'utf-8'
    ? decodeUtf8Address(armoured, utf8)
    : printable(decodeXtext(armoured))
}

function printable(text: string | undefined): string | undefined {
  return text !== undefined && PRINTABLE.test(text) ? text : undefined
}

/**
 *     notify-esmtp-value = "NEVER" / 1#notify-list-element
 *     notify-list-element = "SUCCESS" / "FAILURE" / "DELAY"     ; §4.1: NEVER stands alone
 */
function parseNotify(value: string | undefined): Notify | undefined {
  const words = value?.toUpperCase().split(',') ?? []
  if (words.length === 1 && words[0] === 'NEVER') return 'NEVER'
  const wanted: ('SUCCESS' | 'FAILURE' | 'DELAY')[] = []
  for (const word of words) {
    if (word !== 'SUCCESS' && word !== 'FAILURE' && word !== 'DELAY') return undefined
    if (wanted.includes(word)) return undefined
    wanted.push(word)
  }
  return wanted.length === 0 ? undefined : wanted
}

/** `\x{HEXPOINT}` of RFC 6533 §3: two to six digits, never a surrogate. A backslash stands for nothing else. */
const EMBEDDED = /\\x\{([0-9A-F]{2,6})\}/gi
const STRAY = /\\(?!x\{[0-9A-F]{2,6}\})/i

/**
 * utf-8-addr-xtext / utf-8-addr-unitext (RFC 6533 §3). Raw UTF-8 needs SMTPUTF8; without it, a
 * character beyond ASCII stands as `\x{...}`, within xtext or not.
 */
function decodeUtf8Address(armoured: string, utf8: boolean): string | undefined {
  if (STRAY.test(armoured)) return undefined
  if (!/^[\x21-\x7e]+$/.test(armoured)) {
    return utf8 && armoured !== '' && !/[\x00-\x20\x7f-\x9f]/.test(armoured)
      ? expand(armoured)
      : undefined
  }
  // A value with `=` or a stray `+` is no xtext, but is a utf-8-addr-unitext all the same.
  return expand(decodeXtext(armoured) ?? armoured)
}

function expand(text: string): string | undefined {
  let wrong = false
  const expanded = text.replace(EMBEDDED, (whole, digits: string) => {
    const point = Number.parseInt(digits, 16)
    wrong ||= point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) || point < 0x20
    return wrong ? whole : String.fromCodePoint(point)
  })
  return wrong || /[\x00-\x1f\x7f]/.test(expanded) || expanded === '' ? undefined : expanded
}

/** ORCPT's address: xtext (RFC 3461 §4.2), or for type utf-8 the forms of RFC 6533 §3. */
function originalAddress(type: string, address: string, utf8: boolean): string {
  if (type.toLowerCase() !== 'utf-8') return encodeXtext(address)
  let text = ''
  for (const character of address) {
    const point = character.codePointAt(0) ?? 0
    const special = point < 0x21 || point === 0x7f || '+=\\'.includes(character)
    text +=
      special || (point > 0x7e && !utf8) ? `\\x{${point.toString(16).toUpperCase()}}` : character
  }
  return text
}
