import assert from 'node:assert/strict'
import { journey } from './journey.ts'

journey({
  name: '2-alias',
  title: 'An alias with members here and elsewhere',
  prose:
    'Alice writes to an alias of her own server. It is expanded when the message is accepted: each\nmember has a row of its own in the queue and a life of its own from then on.',
  servers: [
    {
      domain: 'a.test',
      accounts: ['alice', 'anna'],
      aliases: { all: ['anna@a.test', 'bob@b.test'] },
    },
    { domain: 'b.test', accounts: ['bob'] },
  ],
  live: town => town.send({ from: 'alice@a.test', to: ['all@a.test'] }),
  expect: mailboxes => {
    for (const address of ['anna@a.test', 'bob@b.test']) {
      assert.ok((mailboxes.get(address)?.length ?? 0) >= 1, address)
    }
    assert.deepEqual(mailboxes.get('alice@a.test'), [])
  },
})
