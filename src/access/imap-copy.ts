/** COPY and MOVE (RFC 9051 §6.4.7, §6.4.8) into a mailbox of one's own, or of another who lets one put messages there. */
import type { Answer, Question } from '../imap/server/question.ts'
import { copyMessages } from '../mailbox/copy.ts'
import { mailTopic } from '../mailbox/topic.ts'
import type { ImapAccess } from './imap.ts'
import { notThere, overQuota, tooManyKeywords } from './imap-no.ts'
import { lacking, placeOf, untoldTo } from './imap-place.ts'
import { limitFor } from './imap-quota.ts'

/** What may be done with the messages where they are is asked before. @param ownerId whose they are */
export async function copyInto(
  access: Pick<ImapAccess, 'store' | 'quota'>,
  question: Extract<Question, { kind: 'copy' }>,
  ownerId: number,
): Promise<Answer> {
  const { account, key, uids, mailbox, move } = question
  const place = await placeOf(access, account, mailbox)
  if (place === undefined) return notThere(mailbox)
  const denied = lacking(place, 'i')
  if (denied !== undefined) return denied
  // What is moved within an account is held already.
  const held = move && place.ownerId === ownerId
  const limit = held ? undefined : await limitFor(access, place.ownerId)
  const copied = await access.store.write(copyMessages, {
    accountId: place.ownerId,
    mailboxId: key,
    uids,
    to: place.name,
    move,
    ...(limit && { limit }),
    ...(place.own ? {} : { rights: place.rights }),
  })
  switch (copied.kind) {
    case 'full':
      return overQuota
    case 'too many keywords':
      return tooManyKeywords
    case 'missing':
      return notThere(mailbox)
    case 'copied':
      access.store.wake(mailTopic(place.ownerId))
      return { ...copied, ...untoldTo(place.rights) }
  }
}
