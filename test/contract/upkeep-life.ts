/** A store looked through, swept, and moved (src/store), for rooms.test.ts: the same on every store. */
import assert from 'node:assert/strict'
import { folderSince, openFolder } from '../../src/mailbox/change.ts'
import * as mailbox from '../../src/mailbox/writer.ts'
import * as record from '../../src/record/trace.ts'
import * as check from '../../src/store/check.ts'
import { leap } from '../../src/store/leap.ts'
import * as moves from '../../src/store/move-table.ts'
import type { Store } from '../../src/store/store.ts'
import * as sweep from '../../src/store/sweep.ts'
import { nodeClock } from '../../src/world/node/clock.ts'
import { plain, type Witness } from './life.ts'

export async function movedLife(w: Witness): Promise<void> {
  await w.read(moves.unfinishedMove, null)
  await w.read(moves.holdsAnything, null)
  for (const [index, { name }] of moves.movedTables.entries()) {
    const [first] = await w.read(moves.movedSlice, { table: index })
    // Numbers of mailboxes may have gaps.
    if (name.startsWith('mailbox')) w.log.pop()
    if (name === 'setting')
      await w.read(moves.movedSlice, { table: index, after: [first?.['name'] ?? ''] })
  }
  const row = { name: 'moved', value: 'v' }
  await w.write(moves.addMoved, { table: 0, rows: [row, { ...row, name: 'moved too' }] })
}

/** Behind all else: it empties the store. */
export async function movedIntoLife(w: Witness): Promise<void> {
  await w.write(moves.beginMove, 'from a test')
  await w.read(moves.holdsAnything, null)
  await w.read(moves.unfinishedMove, null)
  await w.write(moves.endMove, undefined)
  await w.read(moves.unfinishedMove, null)
}

/** What a restored database does: nothing that was given out since is given again, and everything is told anew. */
async function leapLife(w: Witness, store: Store): Promise<void> {
  const name = { accountId: 1, name: 'Sent' }
  const before = await store.read(openFolder, name)
  assert.ok(before)
  const { mailboxId, messages } = before
  assert.ok(messages > 0)
  const write: Store['write'] = async (writer, input) => {
    const output = await w.write(writer, input)
    // Numbers of mailboxes may have gaps.
    w.log.pop()
    return output
  }
  w.log.push(await leap({ write }))
  const behind = await store.read(openFolder, name)
  assert.deepEqual(behind, {
    ...before,
    uidNext: before.uidNext + 2 ** 20,
    modSeq: before.modSeq + 2 ** 24,
  })
  const told = await store.read(folderSince, { mailboxId, modSeq: before.modSeq + 1_000_000 })
  assert.equal(told?.forgotten, true)
  assert.equal(told?.present.length, messages)
}

const disk = { list: async function* () {}, remove: async () => {} } as never

export async function upkeepLife(w: Witness, store: Store): Promise<void> {
  const watched = { ...store, read: w.read, write: w.write } as Store
  await w.write(mailbox.deliver, [])
  await w.read(check.firstDamage, null)
  await leapLife(w, store)
  w.log.push(plain(await check.findings(watched, [])))
  await w.read(sweep.stagedIsNamed, 'file2')
  await w.write(sweep.removeBodies, [4])
  // Bodies that the queue and a mailbox still name are gone: check must say so on every store.
  w.log.push(plain(await check.findings(watched)))
  w.log.push(await sweep.sweep({ store: watched, disk, clock: nodeClock, keepSettledMs: -60_000 }))
  await w.read(record.messagesTo, { address: 'a@b.test', limit: 10 })
}
