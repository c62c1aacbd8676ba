/** What the ACL commands ask (RFC 4314 §3), from the rows of a mailbox's rights. */
import { canonicalAddress } from '../account/address.ts'
import { ALL_RIGHTS, changedRights } from '../imap/right.ts'
import type { Answer, No, Question } from '../imap/server/question.ts'
import { ANYONE, aclOf, setRights } from '../mailbox/acl.ts'
import { folderStatus } from '../mailbox/folder.ts'
import { mailTopic } from '../mailbox/topic.ts'
import type { ImapAccess } from './imap.ts'
import { noSuchMailbox } from './imap-no.ts'
import { lacking, placeOf } from './imap-place.ts'

const nobody: No = { kind: 'no', code: 'CANNOT', why: 'there is nobody by that name here' }

export async function answerRights(
  access: Pick<ImapAccess, 'store'>,
  question: Extract<Question, { kind: 'rights' | 'acl' | 'set rights' }>,
): Promise<Answer> {
  const { store } = access
  const place = await placeOf(access, question.account, question.mailbox)
  if (place === undefined) return noSuchMailbox
  const folder = await store.read(folderStatus, { accountId: place.ownerId, name: place.name })
  if (folder === undefined) return noSuchMailbox
  if (question.kind === 'rights') {
    // §3.5: who has none of these cannot know that it is there.
    const visible = ['l', 'r', 'i', 'k', 'x', 'a'].some(right => place.rights.includes(right))
    return visible ? { kind: 'rights', rights: place.rights } : noSuchMailbox
  }
  const denied = lacking(place, 'a')
  if (denied !== undefined) return denied
  const { mailboxId } = folder
  const entries = await store.read(aclOf, mailboxId)
  if (question.kind === 'acl') return { kind: 'acl', owner: place.owner, entries }
  const identifier = question.identifier === ANYONE ? ANYONE : canonicalAddress(question.identifier)
  if (identifier === place.owner) {
    // Who carries rights over from another server (imapsync) writes down the owner's, too: he has them.
    const all = changedRights(ALL_RIGHTS, question.mode, question.rights) === ALL_RIGHTS
    return all
      ? { kind: 'done' }
      : { kind: 'no', code: 'CANNOT', why: 'the owner has all rights, always' }
  }
  const before = entries.find(entry => entry.identifier === identifier)?.rights ?? ''
  const rights = changedRights(before, question.mode, question.rights)
  switch (await store.write(setRights, { mailboxId, identifier, rights })) {
    case 'nobody':
      return nobody
    case 'too many':
      return { kind: 'no', code: 'LIMIT', why: 'too many have rights here' }
    case 'done':
      store.wake(mailTopic(place.ownerId))
      return { kind: 'done' }
  }
}
