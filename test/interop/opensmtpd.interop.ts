/** A real OpenSMTPD, which does no pipelining: as our next hop, and as a client that sends to us. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createTransport } from 'nodemailer'
import { clear, type Server, startServer } from '../kit/server.ts'
import { becomes, post } from './letter.ts'
import { bodyOf, takeOne } from './mailbox.ts'
import { endOpenSmtpds, type OpenSmtpd, startOpenSmtpd } from './opensmtpd.ts'
import { lacks, until } from './program.ts'
import { endSinks, freePort, type Sink, startSink } from './sink.ts'

const skip = lacks('smtpd', 'smtp-sink', 'root')
let ours: Server
let theirs: OpenSmtpd
let sink: Sink

before(async () => {
  if (skip) return
  sink = await startSink([])
  const smtp = await freePort()
  theirs = await startOpenSmtpd({ 'demo.test': smtp, '*': sink.port })
  ours = await startServer({
    set: {
      'listeners.smtp.port': smtp,
      'outbound.smarthost': `{"host":"127.0.0.1","port":${theirs.port},"tls":"opportunistic"}`,
      'queue.retry': '700ms',
      'log.level': 'debug',
    },
  })
})
after(async () => {
  endOpenSmtpds()
  endSinks()
  if (!skip) {
    assert.deepEqual(ours.faults(), [])
    await ours.stop()
  }
  clear()
})

test('OpenSMTPD takes our mail step by step and passes it on unchanged', { skip }, async () => {
  const body = '.\r\n..dots\r\nGrüße\r\n'
  const content = `From: alice@demo.test\r\nSubject: on\r\n\r\n${body}`
  const to = ['joe@sink.test', 'ann@sink.test']
  const id = await post(ours, { to, content, mail: 'BODY=8BITMIME' })
  for (const recipient of to) await becomes(ours, id, recipient, 'relayed')
  const text = await until('the message', () =>
    sink.messages().find(message => /^Subject: on$/m.test(message)),
  )
  assert.ok(text.replace(/\r?\n/g, '\r\n').includes(Buffer.from(body).toString('latin1')), text)
})

test('OpenSMTPD as a client sends to us, and what is refused comes back to its sender', {
  skip,
}, async () => {
  const mailer = createTransport({ host: '127.0.0.1', port: theirs.port, ignoreTLS: true })
  const bob = ours.account(1)
  await mailer.sendMail({
    from: 'joe@sink.test',
    to: [bob.address, 'nobody-here@demo.test'],
    subject: 'from OpenSMTPD',
    text: '.\n..\nHello\n',
  })
  const message = await takeOne(ours, bob)
  assert.match(message, /^Return-Path: <joe@sink\.test>\r$/m)
  assert.match(message, /\bwith ESMTPS\b/)
  assert.equal(bodyOf(message).replace(/\r\n$/, ''), '.\r\n..\r\nHello')
  await until('the bounce', () =>
    sink.messages().some(text => /550 5\.1\.1 .*nobody-here@demo\.test/.test(text))
      ? true
      : undefined,
  )
  mailer.close()
})
