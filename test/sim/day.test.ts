/** A day in the life: sent, heard of at once, read, put away, thrown away, and asked back from the operator. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operations } from '../../src/server/control.ts'
import { contextOf } from '../../src/server/operation/context.ts'
import { Reader } from './reader.ts'
import { createTown } from './town.ts'

test('a letter is sent, wakes its reader, is read, moved, expunged and undeleted', async () => {
  const town = await createTown({
    seed: 'day',
    servers: [
      { domain: 'a.test', accounts: ['alice'] },
      { domain: 'b.test', accounts: ['bob'] },
    ],
  })
  const { internet } = town
  const complete = <T>(work: Promise<T>) => internet.complete(work)
  const server = town.server('b.test')
  const host = internet.host({ name: 'phone.test', addresses: ['198.51.100.77'] })
  const laptop = await complete(Reader.open(host, server, 'bob@b.test'))
  const phone = await complete(Reader.open(host, server, 'bob@b.test'))
  assert.match(await complete(laptop.say('SELECT INBOX')), /^\* 0 EXISTS$/m)
  assert.match(await complete(phone.say('SELECT INBOX')), /^\* 0 EXISTS$/m)
  await complete(phone.idle())

  await town.send({ from: 'alice@a.test', to: ['bob@b.test'], subject: 'Lunch?', body: 'At one.' })
  await complete(phone.told(/^\* 1 EXISTS/m))
  assert.match(await complete(laptop.say('NOOP')), /^\* 1 EXISTS$/m)
  const letter = await complete(laptop.say('FETCH 1 (ENVELOPE BODY[TEXT])'))
  assert.match(letter, /"Lunch\?"/)
  assert.match(letter, /At one\./)
  // What one has read, the other one hears of: within 100 ms, two ways of 10 ms among them.
  const read = internet.now
  assert.match(await complete(phone.told(/FETCH \(.*\)/)), /FLAGS \(\\Seen \\Recent\)/)
  assert.ok(internet.now - read <= 100, `${internet.now - read} ms`)
  assert.match(await complete(phone.done()), /OK/)

  const moved = await complete(phone.say('MOVE 1 Archive'))
  assert.match(moved, /COPYUID/)
  assert.match(await complete(laptop.say('NOOP')), /^\* 1 EXPUNGE$/m)
  assert.match(await complete(laptop.say('SELECT Archive')), /^\* 1 EXISTS$/m)
  assert.deepEqual(
    (await complete(laptop.say('SEARCH SUBJECT lunch'))).match(/^\* SEARCH.*$/m)?.[0],
    '* SEARCH 1',
  )
  await complete(laptop.say('STORE 1 +FLAGS (\\Deleted)'))
  assert.match(await complete(laptop.say('EXPUNGE')), /^\* 1 EXPUNGE$/m)

  // In the evening he wants it back.
  await town.advance('6h')
  const undelete = operations['undelete.restore'](contextOf(server.house), {
    address: 'bob@b.test',
  })
  assert.deepEqual(await complete(undelete), { restored: 1 })
  const again = await complete(Reader.open(host, server, 'bob@b.test'))
  assert.match(await complete(again.say('SELECT Archive')), /^\* 1 EXISTS$/m)
  assert.match(await complete(again.say('FETCH 1 (FLAGS ENVELOPE)')), /"Lunch\?"/)
  for (const reader of [laptop, phone, again]) reader.close()
})
