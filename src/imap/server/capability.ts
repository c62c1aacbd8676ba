/**
 * What we say we can do (RFC 9051 §7.2.2), one row for each capability. A row stands here only if it is
 * carried out, and has accepting, refusing and misuse transcripts.
 */
import { offeredOn } from '../../sasl/registry.ts'
import type { Turn } from './turn.ts'

type When = 'always' | 'before login' | 'after login'

/** Those that hold on every listener; STARTTLS, AUTH= and those with a number depend on it. */
export const rows: readonly (readonly [string, When])[] = [
  ['IMAP4rev2', 'always'],
  ['IMAP4rev1', 'always'],
  ['LITERAL+', 'always'],
  ['SASL-IR', 'always'],
  ['ID', 'always'],
  ['ENABLE', 'always'],
  // Also before it can be said: some look for it once, and never again (Python's imaplib).
  ['IDLE', 'always'],
  ['NAMESPACE', 'after login'],
  ['UIDPLUS', 'after login'],
  ['UNSELECT', 'after login'],
  ['MOVE', 'after login'],
  ['CHILDREN', 'after login'],
  ['LIST-EXTENDED', 'after login'],
  ['LIST-STATUS', 'after login'],
  ['SPECIAL-USE', 'after login'],
  ['CREATE-SPECIAL-USE', 'after login'],
  ['STATUS=SIZE', 'after login'],
  ['QUOTA', 'after login'],
  ['QUOTA=RES-STORAGE', 'after login'],
  ['QUOTA=RES-MESSAGE', 'after login'],
  ['COMPRESS=DEFLATE', 'after login'],
  ['ACL', 'after login'],
  ['RIGHTS=texk', 'after login'],
  ['LIST-MYRIGHTS', 'after login'],
  ['UIDONLY', 'after login'],
  ['CONTEXT=SEARCH', 'after login'],
  ['CONTEXT=SORT', 'after login'],
  ['UIDBATCHES', 'after login'],
  ['MULTISEARCH', 'after login'],
  ['NOTIFY', 'after login'],
  ['INPROGRESS', 'after login'],
  ['METADATA', 'after login'],
  ['LIST-METADATA', 'after login'],
  ['OBJECTID', 'after login'],
  ['CONDSTORE', 'after login'],
  ['QRESYNC', 'after login'],
  ['ESEARCH', 'after login'],
  ['SEARCHRES', 'after login'],
  ['WITHIN', 'after login'],
  ['PARTIAL', 'after login'],
  ['SORT', 'after login'],
  ['SORT=DISPLAY', 'after login'],
  ['ESORT', 'after login'],
  ['THREAD=ORDEREDSUBJECT', 'after login'],
  ['THREAD=REFERENCES', 'after login'],
  ['THREAD=REFS', 'after login'],
  ['I18NLEVEL=1', 'after login'],
  ['PREVIEW', 'after login'],
  ['SAVEDATE', 'after login'],
  ['MULTIAPPEND', 'after login'],
  ['CATENATE', 'after login'],
  ['URLAUTH', 'after login'],
  ['URLAUTH=BINARY', 'after login'],
  ['REPLACE', 'after login'],
  ['BINARY', 'after login'],
  ['UTF8=ACCEPT', 'after login'],
  ['UNAUTHENTICATE', 'after login'],
]

export function capabilities(turn: Turn): string {
  const { settings, state, peer } = turn
  const fresh = state === 'not authenticated'
  const words = rows
    .filter(([, when]) => when === 'always' || (when === 'before login') === fresh)
    .filter(([name]) => name !== 'UNAUTHENTICATE' || turn.compression !== 'on')
    .map(([name]) => name)
  if (fresh) {
    const clear = peer.tls === undefined
    if (clear && settings.startTls) words.push('STARTTLS')
    const offered = mechanismsOffered(turn)
    words.push(...offered.map(name => `AUTH=${name}`))
    // RFC 9051 §6.2.3: where LOGIN will be refused it says so.
    if (clear && !settings.plaintextAuth) words.push('LOGINDISABLED')
  } else {
    const { appendMaxOctets, messagesMax, savesMax } = settings
    if (appendMaxOctets > 0) words.push(`APPENDLIMIT=${appendMaxOctets}`)
    // RFC 9738: the one of them implies the other.
    if (messagesMax > 0) words.push(`MESSAGELIMIT=${messagesMax}`)
    else if (savesMax > 0) words.push(`SAVELIMIT=${savesMax}`)
  }
  return words.join(' ')
}

/** Those that may run on this connection: what shows the password needs TLS, or a listener that allows it without. */
export function mechanismsOffered({ settings, peer }: Turn): readonly string[] {
  const channel = { tls: peer.tls, clear: settings.plaintextAuth }
  return offeredOn(settings.mechanisms, channel).map(({ name }) => name)
}
