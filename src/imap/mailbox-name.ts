/**
 * Mailbox names (RFC 9051 §5.1, RFC 3501 §5.1): Unicode text here, modified UTF-7 or UTF-8 on the wire.
 * INBOX is the one name without case; `/` parts the levels.
 */
import { decodeUtf7, encodeUtf7 } from '../wire/utf7.ts'
import type { Cursor } from './cursor.ts'
import { octetsOf } from './encode.ts'

export const DELIMITER = '/'
/** Below it are the mailboxes of others: `Other Users/ann@example.org/Work` (RFC 2342 §5). */
export const OTHER_USERS = 'Other Users'
const PREFIX = `${OTHER_USERS}${DELIMITER}`

/** Longer names help nobody, and each level is a row somewhere. */
const NAME_MAX_CHARS = 1000
const LEVELS_MAX = 100

/** mailbox = "INBOX" / astring, as text. Fails where it can be no name. */
export function readMailboxName(cursor: Cursor, utf8: boolean): string {
  return readSpelledName(cursor, utf8).name
}

/** A name, and how the client has written it. */
export interface SpelledName {
  readonly name: string
  readonly spelled: string
}

export function readSpelledName(cursor: Cursor, utf8: boolean): SpelledName {
  const spelled = decodeText(cursor.astring(), utf8)
  const name = spelled === undefined ? undefined : canonical(spelled)
  if (spelled === undefined || name === undefined) {
    cursor.fail('the mailbox name is not well formed')
    return { name: '', spelled: '' }
  }
  return { name, spelled }
}

/**
 * RFC 9051 §6.3.9.7: who writes accents otherwise is told by which name the mailbox goes; '' where there is nothing to be
 * told, and for who reads no UTF-8.
 * @param now its name, where that is another one by now
 */
export function formatOldName(
  { name, spelled }: SpelledName,
  utf8: boolean,
  { now = name, attributes = '' }: { readonly now?: string; readonly attributes?: string } = {},
): string {
  if (!utf8 || spelled === spelled.normalize('NFC')) return ''
  const told = `(${attributes}) "${DELIMITER}" ${formatMailboxName(now, utf8)}`
  return `* LIST ${told} ("OLDNAME" (${formatMailboxName(spelled, utf8)}))\r\n`
}

/**
 * The name of a mailbox that is to be made: '', which none can have (`isCreatable`), where it is no modified UTF-7 though it
 * should be. A name that is there is looked for all the same, a new one is not made by mistake.
 */
export function readNewMailboxName(cursor: Cursor, utf8: boolean): SpelledName {
  const octets = cursor.astring()
  const spelled = decodeText(octets, utf8)
  const name = spelled === undefined ? undefined : canonical(spelled)
  if (name === undefined) cursor.fail('the mailbox name is not well formed')
  const none = name === undefined || (!utf8 && decodeUtf7(octets) === undefined)
  return none ? { name: '', spelled: '' } : { name, spelled: spelled ?? '' }
}

/**
 * The name behind octets (one character each). With UTF-8 on (IMAP4rev2, UTF8=ACCEPT) they are UTF-8, else
 * modified UTF-7; names that are not are taken as they are where they are plain ASCII, since
 * old clients write a bare `&`.
 */
export function decodeName(octets: string, utf8: boolean): string | undefined {
  const text = decodeText(octets, utf8)
  return text === undefined ? undefined : canonical(text)
}

function decodeText(octets: string, utf8: boolean): string | undefined {
  if (octets.length > 4 * NAME_MAX_CHARS) return undefined
  if (/[^\x20-\x7e]/.test(octets)) {
    if (/[\x00-\x1f\x7f]/.test(octets) || !utf8) return undefined
    const text = Buffer.from(octets, 'latin1').toString('utf8')
    return text.includes('\ufffd') ? undefined : text
  }
  return utf8 ? octets : (decodeUtf7(octets) ?? octets)
}

/** Composed (RFC 9051 §5.1), and INBOX in upper case, as the first level too; other names as they are. */
function canonical(text: string): string | undefined {
  if (text.length > NAME_MAX_CHARS) return undefined
  const name = text.normalize('NFC')
  const first = name.split(DELIMITER, 1)[0] ?? ''
  return first.toUpperCase() === 'INBOX' ? `INBOX${name.slice(first.length)}` : name
}

/** The parts of a name below `Other Users`; undefined for one's own. */
export function foreignName(mailbox: string): { owner: string; name: string } | undefined {
  if (mailbox !== OTHER_USERS && !mailbox.startsWith(PREFIX)) return undefined
  const rest = mailbox.slice(PREFIX.length)
  const end = rest.indexOf(DELIMITER)
  const name = end < 0 ? '' : rest.slice(end + 1)
  // INBOX has no case (RFC 9051 §5.1).
  const first = name.split(DELIMITER, 1)[0] ?? ''
  const inbox = first.toUpperCase() === 'INBOX' ? `INBOX${name.slice(first.length)}` : name
  return { owner: end < 0 ? rest : rest.slice(0, end), name: inbox }
}

/**
 * Whether a mailbox may be made by this name: no empty level, no wildcard, no control, not too deep
 * (RFC 9051 §6.3.4; the trailing delimiter that CREATE may show is taken off before).
 */
export function isCreatable(name: string): boolean {
  const levels = name.split(DELIMITER)
  return (
    name !== '' &&
    levels.length <= LEVELS_MAX &&
    levels.every(level => level !== '' && level !== '.' && level !== '..') &&
    !/[\x00-\x1f\x7f-\x9f%*\u2028\u2029]/.test(name)
  )
}

/** The name as it is sent: quoted or as an atom, in the spelling the client reads. */
export function formatMailboxName(name: string, utf8: boolean): string {
  const text = utf8 ? octetsOf(name) : encodeUtf7(name)
  return `"${text.replace(/[\\"]/g, '\\$&')}"`
}
