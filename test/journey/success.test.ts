import assert from 'node:assert/strict'
import { toldOf } from '../sim/oracle.ts'
import { journey } from './journey.ts'

journey({
  name: '5-success',
  title: 'Alice asks to be told of success',
  prose:
    'NOTIFY=SUCCESS for a colleague here and for Bob elsewhere. Her own server tells of the delivery\nhere; the wish for Bob goes along with the message (RFC 3461), and his server tells.',
  servers: [
    { domain: 'a.test', accounts: ['alice', 'anna'] },
    { domain: 'b.test', accounts: ['bob'] },
  ],
  live: town =>
    town.send({ from: 'alice@a.test', to: ['anna@a.test', 'bob@b.test'], notify: ['SUCCESS'] }),
  expect: mailboxes => {
    const notices = mailboxes.get('alice@a.test') ?? []
    const told = new Set(notices.flatMap(notice => toldOf(notice, 'delivered')))
    assert.deepEqual([...told].sort(), ['anna@a.test', 'bob@b.test'])
  },
})
