import assert from 'node:assert/strict'
import { journey } from './journey.ts'

journey({
  name: '4-down',
  title: 'The next server is down for good',
  prose:
    'The server of b.test is gone. Alice is told after four hours that her letter is late, and after\nfive days that it was given up.',
  servers: [
    // Few retries keep the picture small.
    { domain: 'a.test', accounts: ['alice'], config: { queue: { retry: ['1h', '2d'] } } },
    { domain: 'b.test', accounts: ['bob'] },
  ],
  spared: ['b.test'],
  live: async town => {
    const theirs = town.server('b.test')
    theirs.reboots = false
    theirs.crash()
    await town.send({ from: 'alice@a.test', to: ['bob@b.test'] })
    await town.advance('6 days')
    theirs.reboots = true
    await town.internet.complete(theirs.restart())
  },
  expect: mailboxes => {
    assert.deepEqual(mailboxes.get('bob@b.test'), [])
    const notices = mailboxes.get('alice@a.test') ?? []
    const actions = notices.map(notice => /^Action: (\w+)\r$/m.exec(notice)?.[1])
    // A try whose 250 was lost leaves a second letter, with notices of its own.
    assert.deepEqual([...new Set(actions)], ['delayed', 'failed'])
  },
})
