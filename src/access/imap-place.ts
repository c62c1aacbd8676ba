/**
 * Whose mailbox a name means, and what who asks may do there (RFC 4314 §4): one's own by their names with all rights,
 * those of others below `Other Users/` with the rights they give. One that somebody may not even see is, for
 * him, not there (§6).
 */
import { foreignName } from '../imap/mailbox-name.ts'
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

/** RFC 9051 §6.3.12: who may put messages somewhere and not read there hears nothing of their UIDs. */
export function untoldTo(rights: string): { readonly untold?: true } {
  return rights.includes('r') ? {} : { untold: true }
}

/** Why not all of these rights are there; undefined where they are. */
export function lacking(place: Place | undefined, ...wanted: readonly string[]): No | undefined {
  if (place === undefined) return noSuchMailbox
  if (wanted.every(right => place.rights.includes(right))) return undefined
  if (!place.rights.includes('l')) return noSuchMailbox
  return { kind: 'no', code: 'NOPERM', why: 'you have not the right to do that here' }
}
