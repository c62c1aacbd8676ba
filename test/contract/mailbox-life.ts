/** Mailboxes filled, read, searched and emptied (src/mailbox, src/access), for rooms.test.ts: the same on every store. */
import assert from 'node:assert/strict'
import * as searching from '../../src/access/search-reader.ts'
import * as account from '../../src/account/writer.ts'
import * as change from '../../src/mailbox/change.ts'
import * as copy from '../../src/mailbox/copy.ts'
import * as kept from '../../src/mailbox/kept.ts'
import * as mailboxReader from '../../src/mailbox/reader.ts'
import * as mailbox from '../../src/mailbox/writer.ts'
import { at, type Witness } from './life.ts'
import { readingsLife } from './readings-life.ts'

export async function mailboxesLife(w: Witness): Promise<void> {
  const item = {
    accountId: 1,
    mailboxName: 'Junk',
    messageId: 'm4',
    bodyId: 4,
    head: Buffer.from('head'),
    sizeOctets: 9,
    internalDate: at,
    flags: '\\Seen',
  }
  await w.write(mailbox.deliver, [item, { ...item, mailboxName: 'A' }, item])
  await w.write(mailbox.deliver, [item])
  const list = await w.read(mailboxReader.openMailbox, { accountId: 1, name: 'Junk' })
  await w.read(mailboxReader.openMailbox, { accountId: 7, name: 'Junk' })
  await w.read(mailboxReader.openSmallMailbox, { accountId: 1, name: 'Junk' })
  await w.read(mailboxReader.openSmallMailbox, { accountId: 7, name: 'Junk' })
  const mailboxId = list?.mailboxId ?? 0
  await w.read(mailboxReader.messageByUid, { mailboxId, uid: 2 })
  await w.read(mailboxReader.messageByUid, { mailboxId, uid: 9 })
  await w.read(mailboxReader.messagesByUid, { mailboxId, uids: [1, 2, 9] })
  await readingsLife(w, mailboxId)
  await searches(w, mailboxId)
  await w.read(change.folderStates, { mailboxId, uids: [1, 2, 3] })
  await w.read(change.folderStates, { mailboxId, uids: [1, 900] })
  await w.read(change.folderMessages, { mailboxId, uids: [2, 4] })
  await w.read(mailboxReader.bodySlice, { bodyId: 4, from: 1, to: 3 })
  await w.read(mailboxReader.mailboxesOf, 'joe@example.org')
  await w.write(mailbox.expungeSlice, { mailboxId, uids: [1, 3, 77], keep: true })
  await w.read(mailboxReader.mailboxesOf, 'joe@example.org')
  const [aside] = await w.read(kept.keptFolders, 1)
  assert.equal(aside?.folder, 'Junk')
  await w.read(kept.allKeptFolders, 0)
  const keptId = aside?.mailboxId ?? 0
  const whole = { mailboxId: keptId, since: 0, before: at + 600_000, after: 0, limit: 10 }
  await w.read(kept.keptMessages, whole)
  await w.read(kept.keptMessages, { ...whole, before: 1 })
  await w.write(kept.removeKeptFolder, keptId)
  const back = { accountId: 1, mailboxId: keptId, uids: [1], to: 'Junk', move: true, rights: 'sw' }
  await w.write(copy.copyMessages, back)
  await kept.releaseKept({ ...w } as never, at + 600_000, () => {})
  await w.read(kept.keptFolders, 1)
  await w.write(kept.removeKeptFolder, keptId)
  await w.write(account.removeAccount, 'joe@example.org')
  await w.write(account.removeAccount, 'jane@example.org')
}

/** What a search, an order and threads look at, by one slice of a mailbox. */
async function searches(w: Witness, mailboxId: number): Promise<void> {
  const slice = {
    ...{ mailboxId, uids: [1, 2, 3, 9], before: 0, nowMs: at, saved: [2] },
    ...{ largestUid: 9, exists: 4 },
  }
  for (const key of [
    { kind: 'all' },
    { kind: 'text', text: 'received' },
    { kind: 'text', text: 'nowhere' },
    { kind: 'not', key: { kind: 'header', field: 'received', text: 'x' } },
    { kind: 'uid', set: '$' },
    { kind: 'flag', flag: '\\Seen', set: false },
  ] as const) {
    await w.read(searching.searchSlice, { ...slice, key })
  }
  for (const order of ['row', 'sort', 'thread'] as const) {
    await w.read(searching.factsSlice, { mailboxId, uids: [1, 2, 9], of: order })
  }
}
