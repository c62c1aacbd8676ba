import assert from 'node:assert/strict'
import { journey } from './journey.ts'

journey({
  name: '3-refused',
  title: 'The next server refuses a recipient',
  prose:
    'There is no Nobody at b.test. Their server says 550 to RCPT; in the transaction that records it,\nAlice is sent a notice, which is delivered like any other mail.',
  servers: [
    { domain: 'a.test', accounts: ['alice'] },
    { domain: 'b.test', accounts: ['bob'] },
  ],
  live: town => town.send({ from: 'alice@a.test', to: ['nobody@b.test', 'bob@b.test'] }),
  expect: mailboxes => {
    assert.ok((mailboxes.get('bob@b.test')?.length ?? 0) >= 1)
    const notices = mailboxes.get('alice@a.test') ?? []
    assert.ok(notices.length >= 1)
    for (const notice of notices) assert.match(notice, /^Action: failed\r$/m)
  },
})
