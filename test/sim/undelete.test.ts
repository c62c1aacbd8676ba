/** A message is delivered, deleted, listed by the operator and brought back; a week later it is gone for good. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expunge } from '../../src/mailbox/expunge.ts'
import { keptFolders } from '../../src/mailbox/kept.ts'
import { openMailbox } from '../../src/mailbox/reader.ts'
import { operations } from '../../src/server/control.ts'
import { contextOf } from '../../src/server/operation/context.ts'
import { createTown } from './town.ts'

const HOUR_MS = 3_600_000

test('deleted mail is listed, and comes back where it was', async () => {
  const town = await createTown({
    seed: 'undelete',
    servers: [{ domain: 'a.test', accounts: ['alice', 'ann'] }],
  })
  await town.send({ from: 'alice@a.test', to: ['ann@a.test'] })
  await town.advance('1m')
  const { house } = town.server('a.test')
  const { store, world } = house
  const context = contextOf(house)
  const complete = <T>(work: Promise<T>) => town.internet.complete(work)
  const ann = { address: 'ann@a.test' }
  const { id = 0 } = (await complete(house.accounts.accounts.find(ann.address))) ?? {}
  const inbox = async () =>
    await complete(store.read(openMailbox, { accountId: id, name: 'INBOX' }))
  const { mailboxId = 0, uids = [] } = (await inbox()) ?? {}
  await complete(expunge(store, mailboxId, Array.from(uids), () => {}, true))
  assert.equal((await inbox())?.uids.length, 0)
  const list = (more = {}) => complete(operations['undelete.list'](context, { ...ann, ...more }))
  const { items, total } = await list()
  assert.equal(total, 1)
  assert.equal(items[0]?.mailbox, 'INBOX')
  assert.equal((await list({ mailbox: 'inbox' })).total, 1)
  await assert.rejects(list({ mailbox: 'Work' }), /ann@a\.test has no mailbox Work/)
  assert.equal((await list({ since: world.clock.now() + HOUR_MS })).total, 0)
  assert.equal((await list({ before: world.clock.now() - HOUR_MS })).total, 0)
  const unknown = operations['undelete.list'](context, { address: 'nobody@a.test' })
  await assert.rejects(complete(unknown), /no account/)
  assert.deepEqual(await complete(operations['undelete.restore'](context, ann)), { restored: 1 })
  assert.deepEqual(await complete(operations['undelete.restore'](context, ann)), { restored: 0 })
  assert.equal((await complete(town.user('ann@a.test').read())).length, 1)
  assert.equal((await complete(store.read(keptFolders, id))).length, 1)
})

test('what is kept goes with its account, and counts towards no quota', async () => {
  const town = await createTown({
    seed: 'undelete',
    servers: [{ domain: 'a.test', accounts: ['alice', 'ann'] }],
  })
  await town.send({ from: 'alice@a.test', to: ['ann@a.test'] })
  await town.advance('1m')
  const { house } = town.server('a.test')
  const { store } = house
  const context = contextOf(house)
  const complete = <T>(work: Promise<T>) => town.internet.complete(work)
  const address = 'ann@a.test'
  const { id = 0 } = (await complete(house.accounts.accounts.find(address))) ?? {}
  const found = await complete(store.read(openMailbox, { accountId: id, name: 'INBOX' }))
  await assert.rejects(complete(operations['account.remove'](context, { address })), /has mail/)
  const uids = Array.from(found?.uids ?? [])
  await complete(expunge(store, found?.mailboxId ?? 0, uids, () => {}, true))
  const quota = await complete(operations['account.quota'](context, { address, octets: 1000 }))
  assert.deepEqual([quota.octets, quota.messages, quota.octetsMax], [0, 0, 1000])
  await complete(operations['account.remove'](context, { address }))
  assert.deepEqual(await complete(store.read(keptFolders, id)), [])
})
