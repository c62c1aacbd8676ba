/** Messages that go for good: those with \Deleted, or all of a folder that is gone. Slice by slice. */
import type { Answer, Question } from '../imap/server/question.ts'
import { anyMessages, doomedMessages } from '../mailbox/change.ts'
import { expunge } from '../mailbox/expunge.ts'
import { removeDoomedFolder } from '../mailbox/folder.ts'
import type { ImapAccess } from './imap.ts'

const SLICE = 1_000

type Access = Pick<ImapAccess, 'store' | 'world' | 'keeps' | 'log'>

/** EXPUNGE (RFC 9051 §6.4.3), of these UIDs only where given. */
export async function expungeDoomed(
  access: Access,
  question: Extract<Question, { kind: 'expunge' }>,
): Promise<Answer> {
  const { key, uids } = question
  const only = uids === undefined ? undefined : new Set(uids)
  for (let after = 0; ; ) {
    const found = await access.store.read(doomedMessages, { mailboxId: key, after, limit: SLICE })
    const doomed = only === undefined ? found : found.filter(uid => only.has(uid))
    await remove(access, key, doomed)
    if (found.length < SLICE) break
    after = found.at(-1) ?? 0
  }
  return { kind: 'expunged' }
}

/**
 * Takes away what a deleted folder held, and its row. Never rejects: what is left behind is taken away
 * at the next start (server/upkeep.ts).
 */
export async function clearFolder(access: Access, mailboxId: number): Promise<void> {
  try {
    for (;;) {
      const uids = await access.store.read(anyMessages, { mailboxId, limit: SLICE })
      await remove(access, mailboxId, uids)
      if (uids.length < SLICE) break
    }
    await access.store.write(removeDoomedFolder, mailboxId)
  } catch (error) {
    access.log.warn('imap-folder-not-cleared', { mailboxId, error })
  }
}

async function remove(access: Access, mailboxId: number, uids: readonly number[]): Promise<void> {
  const { store, world, log, keeps } = access
  const removed = (names: readonly string[]) => {
    for (const name of names) {
      // Nothing references it any more: if it cannot be removed now, the sweep does it.
      world.disk.remove(name).catch(error => log.warn('staged-not-removed', { name, error }))
    }
  }
  await expunge(store, mailboxId, uids, removed, keeps())
}
