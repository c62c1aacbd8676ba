/** RRVS in the town (RFC 7293): mail that is meant for one person does not reach who has his address now. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '../../src/server/settings/settings.ts'
import { formatDate } from '../../src/wire/date.ts'
import { createTown, type Town } from './town.ts'

const DAY = 24 * 3_600_000

async function twoServers(theirs: Config = {}): Promise<Town> {
  const town = await createTown({
    seed: 'owners',
    servers: [
      { domain: 'a.test', accounts: ['alice'] },
      {
        domain: 'b.test',
        accounts: ['bob', 'webmaster'],
        aliases: { team: ['bob@b.test'] },
        config: { domains: [], ...theirs },
      },
    ],
  })
  await town.advance('10 days')
  return town
}

interface Sent {
  readonly to?: string
  /** Days from now: all addresses are ten days old. */
  readonly since?: number
  readonly action?: 'R' | 'C'
  /** The same in the header, for the recipient. */
  readonly field?: number
}

/** Sends a letter; what Bob finds, and the statuses that Alice is told. */
async function sent(town: Town, { to = 'bob@b.test', since, action = 'R', field }: Sent) {
  const at = (days: number) => town.internet.now - days * DAY
  await town.send({
    from: 'alice@a.test',
    to: [to],
    ...(since === undefined ? {} : { asksOfEach: { validSince: { atMs: at(since), action } } }),
    ...(field === undefined
      ? {}
      : { fields: [`Require-Recipient-Valid-Since: ${to}; ${formatDate(at(field))}`] }),
  })
  await town.advance('5 minutes')
  const read = async (address: string) => {
    const mail = await town.internet.complete(town.user(address).read())
    return mail.map(({ octets }) => Buffer.from(octets).toString('latin1'))
  }
  const told = (await read('alice@a.test')).map(text => /^Status: (.*)\r$/m.exec(text)?.[1])
  return { letters: await read(to.startsWith('web') ? to : 'bob@b.test'), told }
}

test('§5.1: who has had the address since then gets it; who has it since later does not', async () => {
  for (const to of ['bob@b.test', 'bob+list@b.test', 'team@b.test']) {
    const town = await twoServers()
    const first = await sent(town, { to, since: 9 })
    assert.deepEqual([first.letters.length, first.told], [1, []], to)
    const second = await sent(town, { to, since: 11 })
    assert.deepEqual([second.letters.length, second.told], [1, ['5.7.17']], to)
  }
})

test('§5.1 (1): nobody asks about a role', async () => {
  const { letters, told } = await sent(await twoServers(), { to: 'webmaster@b.test', since: 1000 })
  assert.deepEqual([letters.length, told], [1, []])
})

test('§5.1.1: with R it is not given to a server that would not ask, with C it is', async () => {
  const without = { listeners: { smtp: { without: ['RRVS' as const] } } }
  const refused = await sent(await twoServers(without), { since: 11 })
  assert.deepEqual([refused.letters.length, refused.told], [0, ['5.7.19']])
  const given = await sent(await twoServers(without), { since: 11, action: 'C' })
  assert.deepEqual([given.letters.length, given.told], [1, []])
})

test('§5.2: the field of the header asks the same, and is not delivered', async () => {
  const town = await twoServers()
  const first = await sent(town, { field: 9 })
  assert.deepEqual([first.letters.length, first.told], [1, []])
  assert.doesNotMatch(first.letters[0] ?? '', /^Require-Recipient-Valid-Since/m)
  const second = await sent(town, { field: 11 })
  assert.deepEqual([second.letters.length, second.told], [1, ['5.7.17']])
  // What RCPT says counts, and not the field.
  const third = await sent(town, { since: 9, field: 11 })
  assert.deepEqual([third.letters.length, third.told.length], [2, 1])
})

test('§5: a mailbox that changes hands while a message waits is asked about again', async () => {
  const town = await createTown({
    seed: 'owners',
    servers: [{ domain: 'a.test', accounts: ['alice', 'bob'] }],
  })
  await town.advance('10 days')
  const now = town.internet.now
  await town.send({
    from: 'alice@a.test',
    to: ['bob@a.test'],
    asks: at => ({ release: { atMs: at + DAY, asked: 'for;86400' } }),
    asksOfEach: { validSince: { atMs: now - DAY, action: 'R' } },
  })
  const { accounts } = town.server('a.test').house.accounts
  await town.internet.complete(accounts.removeAccount('bob@a.test'))
  await town.internet.complete(accounts.addAccount('bob@a.test', 'secret of bob@a.test'))
  await town.advance('2 days')
  const alice = await town.internet.complete(town.user('alice@a.test').read())
  assert.equal((await town.internet.complete(town.user('bob@a.test').read())).length, 0)
  assert.match(Buffer.from(alice[0]?.octets ?? []).toString(), /^Status: 5\.7\.17\r$/m)
})
