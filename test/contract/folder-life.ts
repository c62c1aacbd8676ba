/** Folders as IMAP has them, on every store: a part of the life in rooms.test.ts. */
import assert from 'node:assert/strict'
import * as acl from '../../src/mailbox/acl.ts'
import * as annotation from '../../src/mailbox/annotation.ts'
import * as append from '../../src/mailbox/append.ts'
import * as change from '../../src/mailbox/change.ts'
import * as copy from '../../src/mailbox/copy.ts'
import * as flags from '../../src/mailbox/flags.ts'
import * as folder from '../../src/mailbox/folder.ts'
import * as forget from '../../src/mailbox/forget.ts'
import * as quota from '../../src/mailbox/quota.ts'
import * as recent from '../../src/mailbox/recent.ts'
import { farRollSlice, Roll, rollSlice, rollStart } from '../../src/mailbox/roll.ts'
import * as urlKey from '../../src/mailbox/url-key.ts'
import * as mailbox from '../../src/mailbox/writer.ts'
import * as check from '../../src/store/check.ts'
import { at, plain, type Witness } from './life.ts'

/** Folders: made, filled, flagged, copied, renamed, deleted, and what a session hears of it. */
export async function folders(w: Witness): Promise<void> {
  const joe = { accountId: 1 }
  const usual = [{ name: 'Sent', specialUse: '\\Sent' }]
  await w.read(folder.isFurnished, 1)
  await w.write(folder.furnish, { ...joe, folders: usual })
  await w.write(folder.furnish, { ...joe, folders: [...usual, { name: 'X', specialUse: '' }] })
  await w.read(folder.isFurnished, 1)
  for (const name of ['a/b/ç', 'a/b', 'a', 'Sent'])
    await w.write(folder.createFolder, { ...joe, name, specialUse: name === 'a' ? '' : '\\Sent' })
  await w.write(folder.createFolder, { ...joe, name: 'a/b/ç', specialUse: '' })
  const octets = (text: string) => Buffer.from(text)
  const appended = (n: number, flags: string) => ({
    messageId: `x${n}`,
    bodyKey: 800 + n,
    body: n === 3 ? { staged: 'file800', sizeOctets: 7 } : octets('hello'),
    internalDate: at,
    flags,
  })
  const messages = [appended(1, ''), appended(2, '\\Seen work'), appended(3, 'Work \\Deleted')]
  await w.write(append.appendMessages, { ...joe, mailbox: 'nowhere', messages })
  await w.write(append.appendMessages, { ...joe, mailbox: 'a/b', messages })
  const boxId = (await w.read(folder.folderStatus, { ...joe, name: 'a/b' }))?.mailboxId ?? 0
  await w.read(recent.countFrom, { mailboxId: boxId, uid: 2 })
  for (const uidNext of [3, 3, 4, 2])
    await w.write(recent.claimRecent, { mailboxId: boxId, uidNext })
  await w.write(recent.claimRecent, { mailboxId: 77_777, uidNext: 4 })
  await w.read(folder.folderStatus, { ...joe, name: 'a/b' })
  for (const [uid, n] of [
    [9, 4],
    [3, 5],
  ] as const) {
    const replaced = { mailboxId: boxId, uid }
    const one = { ...joe, mailbox: 'a', messages: [appended(n, '\\Draft')], replaced }
    await w.write(append.appendMessages, one)
  }
  const note = (entry: string, text: string | null) => ({
    entry,
    value: text === null ? null : octets(text),
  })
  const notes = [note('/private/comment', 'mine'), note('/shared/comment', 'ours\0')]
  for (const accountId of [1, 2])
    await w.write(annotation.annotate, { mailboxId: boxId, accountId, notes })
  const forgotten = [
    note('/private/comment', null),
    note('/private/b', '1'),
    note('/private/b', '2'),
  ]
  await w.write(annotation.annotate, { mailboxId: boxId, accountId: 1, notes: forgotten })
  const many = Array.from({ length: 201 }, (_, n) => note(`/private/n${n}`, 'x'))
  await w.write(annotation.annotate, { mailboxId: 0, accountId: 1, notes: many })
  for (const accountId of [1, 2])
    await w.read(annotation.annotationsOf, { mailboxId: boxId, accountId })
  await w.read(annotation.annotationsOf, { mailboxId: 0, accountId: 1 })
  for (const [identifier, rights] of [
    ['jane@example.org', 'lr'],
    ['nobody@example.org', 'lr'],
    ['anyone', 'li'],
    ['jane@example.org', 'lrw'],
  ] as const)
    await w.write(acl.setRights, { mailboxId: boxId, identifier, rights })
  await w.write(acl.inheritRights, { from: boxId, to: boxId })
  await w.read(acl.aclOf, boxId)
  const shared = { owner: 'joe@example.org', name: 'a/b', viewer: 'jane@example.org' }
  await w.read(acl.sharedFolder, shared)
  await w.read(acl.sharedFolder, { ...shared, viewer: 'x@example.org' })
  await w.read(acl.sharedFolder, { ...shared, name: 'nowhere' })
  for (const viewer of ['jane@example.org', 'joe@example.org', 'x@example.org'])
    await w.read(acl.sharedWith, viewer)
  await w.write(acl.setRights, { mailboxId: boxId, identifier: 'anyone', rights: '' })
  await w.read(urlKey.urlKeyOf, boxId)
  for (const fresh of [octets('key'), octets('other')])
    await w.write(urlKey.keepUrlKey, { mailboxId: boxId, fresh })
  await w.read(urlKey.urlKeyOf, boxId)
  await w.write(urlKey.forgetUrlKeys, { accountId: 1, name: 'a' })
  await w.read(urlKey.urlKeyOf, boxId)
  await w.write(urlKey.forgetUrlKeys, { accountId: 1 })
  await w.read(quota.usageOf, 1)
  await w.read(quota.usageOf, 99)
  await w.read(quota.quotaOf, 1)
  await w.read(quota.quotaOf, 99)
  await w.read(folder.doomedOctets, boxId)
  const full = { ...joe, limit: { octets: 0, messages: 4 } }
  const another = { mailbox: 'a', messages: [appended(6, '')] }
  assert.deepEqual(await w.write(append.appendMessages, { ...full, ...another }), { kind: 'full' })
  const carrying = { mailboxId: boxId, uids: [1, 2], to: 'a', move: false }
  assert.deepEqual(await w.write(copy.copyMessages, { ...full, ...carrying }), { kind: 'full' })
  await w.read(change.openFolder, { ...joe, name: 'nowhere' })
  const opened = await w.read(change.openFolder, { ...joe, name: 'a/b' })
  const mailboxId = opened?.mailboxId ?? 0
  const since = { mailboxId, sinceModSeq: opened?.modSeq ?? 0, uidNext: opened?.uidNext ?? 0 }
  await w.read(change.folderChanges, since)
  await w.read(change.firstUnseen, mailboxId)
  await w.read(change.firstUnseen, 999_999)
  const roll = await rollOf(w, mailboxId)
  const flagged = { mailboxId, uids: [1, 2, 9] }
  await w.write(flags.changeFlags, { ...flagged, mode: 'add', flags: ['WORK', '\\Flagged'] })
  await w.write(flags.changeFlags, { ...flagged, mode: 'add', flags: ['WORK'] })
  await w.write(flags.changeFlags, { ...flagged, mode: 'set', flags: ['\\Deleted'], rights: 'sw' })
  await w.write(flags.changeFlags, { ...flagged, mode: 'set', flags: ['WORK', '\\Flagged'] })
  await w.write(flags.changeFlags, {
    ...flagged,
    mode: 'set',
    flags: ['\\Seen'],
    unchangedSince: since.sinceModSeq,
  })
  await w.write(flags.changeFlags, { mailboxId, uids: [2], mode: 'remove', flags: ['\\Seen'] })
  for (const modSeq of [0, 3, 999]) await w.read(change.folderSince, { mailboxId, modSeq })
  await w.read(change.folderSince, { mailboxId: 999_999, modSeq: 0 })
  await w.write(flags.changeFlags, { ...flagged, mailboxId: 999_999, mode: 'set', flags: [] })
  await w.read(change.folderChanges, since)
  const carried = { ...joe, mailboxId, uids: [3, 1, 77] }
  await w.write(copy.copyMessages, { ...carried, to: 'nowhere', move: false })
  await w.write(copy.copyMessages, { ...carried, to: 'Sent', move: false })
  // One run of UIDs is copied by another text than some, and what rights leave of the flags by a third.
  for (const uids of [
    [1, 2, 3],
    [3, 1],
  ])
    await w.write(copy.copyMessages, { ...carried, uids, to: 'Sent', move: false, rights: 'i' })
  await w.write(copy.copyMessages, { ...carried, to: 'a/b/ç', move: true })
  await w.write(copy.copyMessages, { ...carried, to: 'a/b/ç', move: true })
  const changes = await w.read(change.folderChanges, since)
  if (changes !== undefined) roll?.take(changes)
  assert.deepEqual(told(roll), told(await rollOf(w, mailboxId)))
  await rollOf(w, 999_999)
  await w.read(change.folderSince, { mailboxId, modSeq: 3 })
  await w.read(change.folderMessages, { mailboxId, uids: [1, 2, 3] })
  await w.read(change.doomedMessages, { mailboxId, after: 0, limit: 10 })
  await w.read(forget.rememberingMailbox, mailboxId - 1)
  w.log.pop()
  const limits = { mailboxId, before: 0, youngFrom: 0, keepRows: 1 }
  assert.equal(await w.write(forget.forgetVanished, limits), false)
  await w.write(forget.forgetVanished, { ...limits, youngFrom: at + 3_600_000 })
  await w.read(change.folderSince, { mailboxId, modSeq: 3 })
  await w.read(change.folderChanges, { ...since, sinceModSeq: 1 })
  await w.write(forget.forgetVanished, { ...limits, before: at + 3_600_000 })
  await w.read(change.folderSince, { mailboxId, modSeq: 3 })
  await w.write(folder.createFolder, { ...joe, name: 'gone/b', specialUse: '' })
  await w.write(folder.deleteFolder, { ...joe, name: 'gone' })
  for (const [name, to] of [
    ['a', 'gone'],
    ['nowhere', 'b'],
    ['a', 'Sent'],
    ['a', 'new/ä'],
    ['INBOX', 'old'],
  ] as const)
    await w.write(folder.renameFolder, { ...joe, name, to })
  for (const name of ['new/ä', 'nowhere', 'Sent']) {
    await w.write(folder.subscribe, { ...joe, name, on: name !== 'Sent' })
    await w.read(folder.folderStatus, { ...joe, name })
  }
  for (const after of ['', 'a', '~']) {
    await w.read(folder.foldersOf, { accountId: 1, after })
    await w.read(folder.folderNumbers, { accountId: 1, after })
  }
  await w.read(folder.subscriptionsOf, 1)
  const doomed = await w.write(folder.deleteFolder, { ...joe, name: 'new/ä/b' })
  await w.write(folder.deleteFolder, { ...joe, name: 'new/ä/b' })
  const [there] = await w.read(folder.doomedFolders, null)
  assert.equal(there, doomed.mailboxId)
  w.log.pop()
  const left = await w.read(change.anyMessages, { mailboxId: there ?? 0, limit: 10 })
  await w.write(folder.removeDoomedFolder, there ?? 0)
  await w.write(mailbox.expungeSlice, { mailboxId: there ?? 0, uids: left })
  await w.write(folder.removeDoomedFolder, there ?? 0)
  await w.read(change.folderChanges, since)
  await w.read(change.openFolder, { ...joe, name: 'new/ä/b' })
  // The number of the newest one is not given again (RFC 8474 §4).
  await w.write(folder.createFolder, { ...joe, name: 'late', specialUse: '' })
  const { mailboxId: late = 0 } = await w.write(folder.deleteFolder, { ...joe, name: 'late' })
  await w.write(folder.removeDoomedFolder, late)
  await w.write(folder.createFolder, { ...joe, name: 'later', specialUse: '' })
  const later = await w.read(folder.folderStatus, { ...joe, name: 'later' })
  assert.ok((later?.mailboxId ?? 0) > late)
  await w.write(folder.deleteFolder, { ...joe, name: 'later' })
  w.log.push(plain(await check.findings({ ...w } as never)))
}

async function rollOf(w: Witness, mailboxId: number): Promise<Roll | undefined> {
  const start = await w.read(rollStart, mailboxId)
  const slice = await w.read(rollSlice, { mailboxId, uid: 0 })
  assert.deepEqual(await w.read(farRollSlice, { mailboxId, uid: 0 }), slice)
  if (start === undefined) return undefined
  const roll = new Roll(start)
  roll.append(slice)
  return roll
}

/** All that a roll says: its sets of flags may have any numbers. */
function told(roll: Roll | undefined): unknown {
  const { uids, modSeqs, setOf, sets } = roll?.some([...roll.uids]) ?? never()
  const flags = Array.from(setOf, n => sets[n])
  return { flags, uids, modSeqs, modSeq: roll?.modSeq, uidNext: roll?.uidNext }
}

function never(): never {
  throw new Error('no roll')
}
