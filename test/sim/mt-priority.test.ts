/** MT-PRIORITY in the town (RFC 6710, RFC 6758): what waits goes by priority, and says so on its way. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contextOf } from '../../src/server/operation/context.ts'
import { changeSome } from '../../src/server/operation/queue-change.ts'
import type { Config } from '../../src/server/settings/settings.ts'
import { reader } from '../../src/store/store.ts'
import { createTown, type Town } from './town.ts'

/** The priorities of notices. */
const notices = reader('town.notices', (tx, _: null) =>
  tx.all<{ priority: number; parameters: string }>(
    `SELECT r.priority, m.parameters FROM recipient r JOIN message m ON m.id = r.message_id
     WHERE m.origin = 'notice'`,
  ),
)

function twoServers(ours: Config, theirs: Config = {}): Promise<Town> {
  return createTown({
    seed: 'priority',
    servers: [
      { domain: 'a.test', accounts: ['alice'], config: ours },
      { domain: 'b.test', accounts: ['bob'], config: theirs },
    ],
  })
}

function send(town: Town, priority: number | undefined, fields: readonly string[] = []) {
  return town.send({
    from: 'alice@a.test',
    to: ['bob@b.test'],
    subject: `at ${priority ?? 'the usual'}`,
    asks: () => (priority === undefined ? {} : { priority }),
    fields,
  })
}

/** What Bob has, in the order it came. */
async function found(town: Town, address = 'bob@b.test'): Promise<string[]> {
  const mail = await town.internet.complete(town.user(address).read())
  return mail.map(({ octets }) => Buffer.from(octets).toString('latin1').replaceAll('\r\n\t', ' '))
}

const subjects = (texts: readonly string[]) =>
  texts.map(text => /^Subject: at (.*)\r$/m.exec(text)?.[1])

test('what waits in a queue longer than what is in hand leaves by priority', async () => {
  const town = await twoServers({ queue: { concurrency: 2, retry: ['1d'] } })
  const [ours, theirs] = [town.server('a.test'), town.server('b.test')]
  town.internet.network.part(ours.name, theirs.name)
  for (const priority of [-9, undefined, -1, undefined, 2, 9, undefined]) await send(town, priority)
  await town.advance('10 minutes')
  town.internet.network.heal(ours.name, theirs.name)
  const context = contextOf(ours.house)
  await town.internet.complete(changeSome(context, { order: 'retry', query: '', all: true }))
  await town.advance('10 minutes')
  const usual = 'the usual'
  assert.deepEqual(subjects(await found(town)), ['9', '2', usual, usual, usual, '-1', '-9'])
})

test('it is told to a hop that knows it, and stands in the header for one that does not', async () => {
  for (const without of [[], ['MT-PRIORITY']] as const) {
    const town = await twoServers({}, { listeners: { smtp: { without: [...without] } } })
    await send(town, -4)
    await send(town, undefined, ['MT-Priority: -3 (slow)'])
    await send(town, 5, ['MT-Priority: 2'])
    await send(town, undefined)
    await town.advance('1 minute')
    const texts = await found(town)
    const stamped = (text: string) => Array.from(text.matchAll(/PRIORITY (\S+);/g), m => m[1])
    const fields = (text: string) => Array.from(text.matchAll(/^MT-Priority: (.*)\r$/gm), m => m[1])
    assert.deepEqual(
      texts.map(fields),
      without.length > 0
        ? [['-4'], ['-3 (slow)'], ['5'], []]
        : // Who is a stranger there may not be above the usual, and the field that stays must not say so.
          [['-4'], ['-3 (slow)'], ['0'], []],
    )
    assert.deepEqual(
      texts.map(stamped),
      without.length > 0 ? [['-4'], ['-3'], ['5'], []] : [['-4', '-4'], ['-3', '-3'], ['5'], []],
    )
  }
})

test('§4.6: word of a message goes as the message did', async () => {
  const town = await twoServers({}, {})
  await town.send({ from: 'alice@a.test', to: ['nobody@b.test'], asks: () => ({ priority: -6 }) })
  await town.advance('1 minute')
  const [notice] = await found(town, 'alice@a.test')
  assert.match(notice ?? '', /^Action: failed\r$/m)
  const rows = await town.internet.complete(town.server('a.test').store.read(notices, null))
  assert.deepEqual(rows, [{ priority: -6, parameters: '{"priority":-6}' }])
})
