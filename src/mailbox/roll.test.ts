import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MemoryStore, openMemoryStore } from '../store/memory.ts'
import { writer } from '../store/store.ts'
import type { Value } from '../world/sql.ts'
import { type FolderChanges, folderChanges } from './change.ts'
import { changeFlags } from './flags.ts'
import { Roll, rollSlice, rollStart } from './roll.ts'
import { deliver, expungeSlice } from './writer.ts'

const run = writer('test.run', (tx, [sql, ...values]: [string, ...Value[]]) =>
  tx.run(sql, ...values),
)

async function mailbox(messages: number): Promise<MemoryStore> {
  const store = await openMemoryStore()
  const one = {
    ...{ accountId: 1, mailboxName: 'INBOX', messageId: 'm1', bodyId: 1, head: Buffer.from('') },
    ...{ sizeOctets: 9, internalDate: 5, flags: '' },
  }
  await store.write(deliver, Array(messages).fill(one))
  return store
}

async function rollOf(store: MemoryStore): Promise<Roll> {
  const start = await store.read(rollStart, 1)
  assert.ok(start)
  const roll = new Roll(start)
  while (roll.append(await store.read(rollSlice, { mailboxId: 1, uid: roll.lastUid }))) {
    // Slice by slice.
  }
  return roll
}

function lines(roll: Roll, uids: readonly number[] = [...roll.uids]): string[] {
  const table = roll.some(uids)
  return Array.from(table.uids, (uid, n) => {
    return `${uid} ${table.modSeqs[n]} ${table.sets[table.setOf[n] as number]}`.trim()
  })
}

function since(roll: Roll, changes: Partial<FolderChanges>): FolderChanges {
  const { modSeq, uidNext } = roll
  const nothing = { recentFrom: 1, present: [], vanished: [], forgotten: false, more: false }
  return { name: 'INBOX', modSeq: modSeq + 1, uidNext, ...nothing, ...changes }
}

test('a roll is read in slices, and is of all messages in order', async () => {
  const store = await mailbox(8_195)
  await store.write(run, ["UPDATE mailbox_message SET flags = '\\Seen a,b' WHERE uid = 8192"])
  await store.write(run, ['DELETE FROM mailbox_message WHERE uid IN (3, 8193)'])
  const roll = await rollOf(store)
  assert.equal(roll.count, 8_193)
  assert.deepEqual(lines(roll, [2, 3, 4, 8192, 8193, 8194, 9000]), [
    '2 3',
    '4 5',
    '8192 8193 \\Seen a,b',
    '8194 8195',
  ])
  assert.deepEqual(lines(roll, [8194, 8195]), ['8194 8195', '8195 8196'])
  assert.deepEqual(lines(roll, []), [])
  assert.equal(roll.uidNext, 8_196)
  assert.equal(roll.firstWithout('\\Seen'), 1)
  await store.close()
})

test('of two changes that overlap the later counts, and what is gone stays so', async () => {
  const store = await mailbox(3)
  const roll = await rollOf(store)
  const flagged = (uid: number, modSeq: number) => ({ uid, modSeq, flags: `f${modSeq}` })
  const { modSeq } = roll
  const early = since(roll, { present: [flagged(2, modSeq + 1)] })
  roll.take(
    since(roll, {
      ...{ modSeq: modSeq + 3, uidNext: 6, vanished: [1, 5] },
      present: [flagged(2, modSeq + 2), flagged(4, modSeq + 3), flagged(5, modSeq + 3)],
    }),
  )
  const now = [`2 ${modSeq + 2} f${modSeq + 2}`, '3 4', `4 ${modSeq + 3} f${modSeq + 3}`]
  assert.deepEqual(lines(roll), now)
  roll.take(early)
  assert.deepEqual(lines(roll), now, 'what was read before is older')
  roll.take(since(roll, { modSeq: roll.modSeq, present: [flagged(2, modSeq + 1), flagged(5, 9)] }))
  assert.deepEqual(lines(roll), now, 'and so is what was read beside it')
  assert.equal(roll.uidNext, 6)
  await store.close()
})

test('what happened to very many messages is told in slices, and none is left out', async () => {
  const store = await mailbox(3_500)
  const roll = await rollOf(store)
  let known = { sinceModSeq: roll.modSeq, uidNext: roll.uidNext }
  const one = {
    ...{ accountId: 1, mailboxName: 'INBOX', messageId: 'm1', bodyId: 1, head: Buffer.from('') },
    ...{ sizeOctets: 9, internalDate: 5, flags: '' },
  }
  await store.write(deliver, Array(1_200).fill(one))
  const first = await store.read(folderChanges, { mailboxId: 1, ...known })
  assert.deepEqual([first?.present.length, first?.modSeq], [1_000, known.sinceModSeq])
  for (let uid = 1; uid <= 3_500; uid += 700) {
    const uids = Array.from({ length: 700 }, (_, n) => uid + n)
    await store.write(changeFlags, { mailboxId: 1, uids, mode: 'add', flags: ['\\Flagged'] })
  }
  await store.write(expungeSlice, { mailboxId: 1, uids: [3, 4_000, 4_600] })
  const slices: number[] = []
  for (let more = true; more; ) {
    const changes = await store.read(folderChanges, { mailboxId: 1, ...known })
    assert.ok(changes && changes.modSeq >= known.sinceModSeq)
    slices.push(changes.present.length)
    roll.take(changes)
    known = { sinceModSeq: changes.modSeq, uidNext: changes.uidNext }
    more = changes.more
  }
  assert.deepEqual(slices, [1_000, 198 + 1_399, 1_400, 700])
  assert.deepEqual(lines(roll), lines(await rollOf(store)))
  await store.close()
})

test('flags that are too many or too long are not kept', async () => {
  const store = await mailbox(2_100)
  await store.write(run, ["UPDATE mailbox_message SET flags = 'k' || uid WHERE uid < 2000"])
  assert.equal((await rollOf(store)).whole, true)
  await store.write(run, ["UPDATE mailbox_message SET flags = 'k' || uid"])
  const many = await rollOf(store)
  assert.deepEqual([many.whole, many.count], [false, 2_100])
  await store.write(run, ["UPDATE mailbox_message SET flags = ''"])
  const roll = await rollOf(store)
  assert.equal(roll.firstWithout('\\Seen'), 1)
  roll.take(since(roll, { present: [{ uid: 7, modSeq: 9_000, flags: 'x'.repeat(201) }] }))
  assert.equal(roll.whole, false)
  await store.write(run, [`UPDATE mailbox_message SET flags = '${'y'.repeat(201)}' WHERE uid = 8`])
  assert.equal((await rollOf(store)).whole, false)
  await store.close()
})
