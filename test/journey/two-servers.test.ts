import assert from 'node:assert/strict'
import { journey } from './journey.ts'

journey({
  name: '1-two-servers',
  title: 'From one server to another',
  prose:
    'Alice submits a letter to her server; it relays it to the one that takes mail for b.test, which\ndelivers it; Bob reads it. The 250 after each dot comes after the commit that takes responsibility.',
  servers: [
    { domain: 'a.test', accounts: ['alice'] },
    { domain: 'b.test', accounts: ['bob'] },
  ],
  live: town => town.send({ from: 'alice@a.test', to: ['bob@b.test'] }),
  expect: mailboxes => {
    assert.ok((mailboxes.get('bob@b.test')?.length ?? 0) >= 1)
    assert.deepEqual(mailboxes.get('alice@a.test'), [])
  },
})
