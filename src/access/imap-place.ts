/**
 * Whose mailbox a name means, and what who asks may do there (RFC 4314 §4): one's own by their names with all rights,
 * those of others below `Other Users/` with the rights they give. One that somebody may not even see is, for
 * him, not there (§6).
 */
import { DELIMITER, OTHER_USERS } from '../imap/mailbox-name.ts'
import { ALL_RIGHTS } from '../imap/right.ts'
import type { No } from '../imap/server/question.ts'
import { sharedFolder } from '../mailbox/acl.ts'
import type { Account } from '../sasl/mechanism.ts'
import type { ImapAccess } from './imap.ts'
import { noSuchMailbox } from './imap-no.ts'

export interface Place {
  readonly ownerId: number
  readonly owner: string
  /** As its owner calls it. */
  readonly name: string
  readonly rights: string
  readonly own: boolean
}

const PREFIX = `${OTHER_USERS}${DELIMITER}`

/** Undefined where there is none that he may know of. One's own name need not exist. */
export async function placeOf(
  { store }: Pick<ImapAccess, 'store'>,
  { id, address }: Account,
  mailbox: string,
): Promise<Place | undefined> {
  const named = foreignName(mailbox)
  if (named === undefined) {
    return { ownerId: id, owner: address, name: mailbox, rights: ALL_RIGHTS, own: true }
  }
  const { owner, name } = named
  if (owner === address || name === '') return undefined
  const found = await store.read(sharedFolder, { owner, name, viewer: address })
  if (found === undefined || found.rights === '') return undefined
  return { ownerId: found.ownerId, owner, name, rights: found.rights, own: false }
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

/** Why not all of these rights are there; undefined where they are. */
export function lacking(place: Place | undefined, ...wanted: readonly string[]): No | undefined {
  if (place === undefined) return noSuchMailbox
  if (wanted.every(right => place.rights.includes(right))) return undefined
  if (!place.rights.includes('l')) return noSuchMailbox
  return { kind: 'no', code: 'NOPERM', why: 'you have not the right to do that here' }
}
