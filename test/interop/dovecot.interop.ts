/** Dovecot's LMTP as our next hop: it keeps the mailboxes, and answers for each recipient by itself. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { clear, type Server, startServer } from '../kit/server.ts'
import { type Dovecot, endDovecots, startDovecot } from './dovecot.ts'
import { becomes, post } from './letter.ts'
import { bodyOf, takeOne } from './mailbox.ts'
import { lacks, until } from './program.ts'

const skip = lacks('dovecot', 'dovecot lmtp', 'root')
let theirs: Dovecot
const servers: Server[] = []

before(async () => {
  if (!skip) theirs = await startDovecot()
})
after(async () => {
  endDovecots()
  for (const server of servers) {
    assert.deepEqual(server.faults(), [])
    await server.stop()
  }
  clear()
})

for (const way of ['TCP', 'a Unix socket'] as const) {
  test(`mail goes to Dovecot by ${way}: taken, refused and put off, each recipient for itself`, {
    skip,
  }, async () => {
    const place =
      way === 'TCP'
        ? { host: '127.0.0.1', port: theirs.port, tls: 'never' }
        : { host: theirs.socket }
    const ours = await startServer({
      set: {
        'outbound.smarthost': JSON.stringify({ ...place, protocol: 'lmtp' }),
        'log.level': 'debug',
      },
    })
    servers.push(ours)
    const content = `From: alice@demo.test\r\nSubject: ${way}\r\n\r\n.\r\n..dots\r\nGrüße\r\n`
    const to = ['bob@box.test', 'nobody@box.test', 'full@box.test', 'bob+list@box.test']
    const id = await post(ours, {
      to: to.map(address => `${address} NOTIFY=SUCCESS,FAILURE`),
      content,
      mail: 'BODY=8BITMIME',
    })
    const done = await becomes(ours, id, 'bob@box.test', 'delivered')
    assert.match(done.status, /^2\.\d\.\d$/)
    assert.equal((await becomes(ours, id, 'nobody@box.test', 'failed')).status, '5.1.1')
    const full = await becomes(ours, id, 'full@box.test', ['failed', 'queued'])
    assert.match(full.status, /^[45]\.2\.2$/)
    await becomes(ours, id, 'bob+list@box.test', 'delivered')
    const message = await until('the message', () =>
      theirs.messages().find(text => text.includes(`Subject: ${way}\r\n`)),
    )
    assert.equal(bodyOf(message), Buffer.from('.\r\n..dots\r\nGrüße\r\n').toString('latin1'))
    assert.match(message, /^Return-Path: <alice@demo\.test>\r$/m)
    // Dovecot does no DSN: that it was delivered, and not only passed on, is ours to tell.
    const told = await takeOne(ours)
    assert.match(told, /Final-Recipient: rfc822; bob@box\.test\r\n[\s\S]*?Action: delivered\r\n/)
    assert.match(told, /Final-Recipient: rfc822; nobody@box\.test\r\n[\s\S]*?Action: failed\r\n/)
  })
}
