/** REQUIRETLS in the town (RFC 8689): by a proven smart host, or back to its sender, header only. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reader } from '../../src/store/store.ts'
import { judge, toldOf } from './oracle.ts'
import { createTown, type Town } from './town.ts'

const parameters = reader('town.parameters', (tx, _: null) =>
  tx.all<{ origin: string; parameters: string | null }>(
    'SELECT origin, parameters FROM message ORDER BY id',
  ),
)

function aTown(smarthost: boolean): Promise<Town> {
  const hop = { host: 'mx.b.test', port: 25, tls: 'require' as const }
  return createTown({
    seed: 'requiretls',
    servers: [
      {
        domain: 'a.test',
        accounts: ['alice', 'ann'],
        config: { outbound: smarthost ? { smarthost: hop } : {} },
      },
      { domain: 'b.test', accounts: ['bob'] },
    ],
  })
}

async function read(town: Town, address: string): Promise<string[]> {
  const letters = await town.internet.complete(town.user(address).read())
  return letters.map(({ octets }) => Buffer.from(octets).toString())
}

const asks = () => ({ requireTls: true as const, ret: 'FULL' as const })

test('it goes to neighbours, and by a proven smart host, with the same demand', async () => {
  const town = await aTown(true)
  await town.send({ from: 'alice@a.test', to: ['ann@a.test', 'bob@b.test'], asks })
  await town.advance('1 minute')
  assert.equal((await read(town, 'ann@a.test')).length, 1)
  assert.equal((await read(town, 'bob@b.test')).length, 1)
  const theirs = town.server('b.test')
  const [row] = await town.internet.complete(theirs.store.read(parameters, null))
  assert.equal(row?.parameters, '{"requireTls":true}')
  assert.deepEqual(await judge(town), [])
})

test('it comes back where the way is not proven: its header only, under the same demand', async () => {
  const town = await aTown(false)
  await town.send({ from: 'alice@a.test', to: ['bob@b.test'], asks, body: 'a secret body' })
  await town.advance('1 minute')
  const [notice = ''] = await read(town, 'alice@a.test')
  assert.deepEqual(toldOf(notice, 'failed'), ['bob@b.test'])
  assert.match(notice, /^Status: 5\.7\.30\r$/m)
  assert.doesNotMatch(notice, /a secret body/)
  assert.equal(town.server('b.test').commits, 0)
  const ours = town.server('a.test')
  const rows = await town.internet.complete(ours.store.read(parameters, null))
  const made = rows.find(({ origin }) => origin === 'notice')
  assert.equal(made?.parameters, '{"requireTls":true}')
  assert.deepEqual(await judge(town), [])
})
