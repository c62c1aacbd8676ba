/** Several recipients of one envelope that lead to one mailbox (docs/decisions: two addresses of a mailbox). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTown } from './town.ts'

async function deliveredTo(to: readonly string[]): Promise<readonly string[]> {
  const town = await createTown({
    seed: 'duplicates',
    servers: [
      { domain: 'a.test', accounts: ['bob'] },
      {
        domain: 'b.test',
        accounts: ['alice'],
        aliases: { sales: ['alice@b.test'], staff: ['sales@b.test', 'alice@b.test'] },
      },
    ],
  })
  await town.send({ from: 'bob@a.test', to })
  await town.advance('5m')
  const mail = await town.internet.complete(town.user('alice@b.test').read())
  return mail
    .map(({ octets }) => /^Delivered-To: (.*)\r$/m.exec(Buffer.from(octets).toString())?.[1] ?? '')
    .sort()
}

const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['an address twice, in any case', ['alice@b.test', 'Alice@B.test'], ['alice@b.test']],
  ['an address and its alias', ['alice@b.test', 'sales@b.test'], ['alice@b.test']],
  ['aliases that meet', ['staff@b.test', 'sales@b.test'], ['alice@b.test']],
  [
    'an address with a detail and without: two, for what a filter may do with each',
    ['alice@b.test', 'alice+news@b.test', 'alice+news@b.test'],
    ['alice+news@b.test', 'alice@b.test'],
  ],
]

for (const [title, to, delivered] of cases) {
  test(title, async () => assert.deepEqual(await deliveredTo(to), delivered))
}
