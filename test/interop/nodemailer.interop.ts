/**
 * nodemailer, the client that most programs on Node use: pools, attachments, every login, DSN,
 * SMTPUTF8, and errors as it understands them.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { createTransport } from 'nodemailer'
import PostalMime from 'postal-mime'
import { clear, type Server, startServer } from '../kit/server.ts'
import { take, takeOne } from './mailbox.ts'

let server: Server

before(async () => {
  server = await startServer({ set: { 'limits.messageSize': '8MB' } })
})
after(async () => {
  assert.deepEqual(server.faults(), [])
  await server.stop()
  clear()
})

/** A transport on a listener, with the certificate verified. */
function transport(listener: 'submission' | 'submissions', more: object = {}) {
  const { address, password } = server.account(0)
  return createTransport({
    host: 'localhost',
    port: server.port(listener),
    secure: listener === 'submissions',
    requireTLS: listener === 'submission',
    tls: { ca: readFileSync(server.certificate) },
    auth: { user: address, pass: password },
    ...more,
  })
}

const from = () => server.account(0).address
const to = () => server.account(1).address

for (const listener of ['submission', 'submissions'] as const) {
  test(`a pool sends fifty messages over few connections on ${listener}`, async () => {
    const pool = transport(listener, { pool: true, maxConnections: 3, maxMessages: 20 })
    assert.equal(await pool.verify(), true)
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        pool.sendMail({ from: from(), to: to(), subject: `number ${i}`, text: `${i}\n.\n` }),
      ),
    )
    const messages = await take(server, 50, server.account(1))
    const subjects = messages.map(m => /^Subject: (.*)\r$/m.exec(m.toString())?.[1])
    assert.equal(new Set(subjects).size, 50)
    pool.close()
  })

  for (const method of ['PLAIN', 'LOGIN']) {
    test(`AUTH ${method} on ${listener}`, async () => {
      const mailer = transport(listener, { authMethod: method })
      await mailer.sendMail({ from: from(), to: to(), subject: method, text: 'x' })
      assert.match(await takeOne(server, server.account(1)), /\bwith ESMTPSA\b/)
      mailer.close()
    })
  }
}

test('attachments, large ones too, come out as they went in', async () => {
  const octets = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7919) % 256))
  const mailer = transport('submissions')
  await mailer.sendMail({
    from: { name: 'Jörg Müller', address: from() },
    to: { name: 'ボブ', address: to() },
    subject: 'Grüße 🌍',
    text: 'Hallo Welt ✓',
    html: '<p>Hallo <b>Welt</b> ✓</p>',
    attachments: [
      { filename: 'Größe.bin', content: octets },
      { filename: 'a.txt', content: '.\r\n..\r\nfrom here\r\n' },
    ],
  })
  const mail = await PostalMime.parse(
    Buffer.from(await takeOne(server, server.account(1)), 'latin1'),
  )
  assert.equal(mail.subject, 'Grüße 🌍')
  assert.equal(mail.from?.name, 'Jörg Müller')
  assert.equal(mail.to?.[0]?.name, 'ボブ')
  assert.match(mail.text ?? '', /Hallo Welt ✓/)
  const [large, text] = mail.attachments
  assert.equal(large?.filename, 'Größe.bin')
  assert.ok(Buffer.from(large?.content as ArrayBuffer).equals(octets))
  assert.equal(Buffer.from(text?.content as ArrayBuffer).toString(), '.\r\n..\r\nfrom here\r\n')
  mailer.close()
})

test('a raw message in UTF-8 goes by SMTPUTF8', async () => {
  const mailer = transport('submissions')
  const raw = Buffer.from(`From: ${from()}\r\nSubject: Grüße\r\n\r\nÄÖÜ\r\n`)
  await mailer.sendMail({ envelope: { from: from(), to: to(), use8BitMime: true }, raw })
  const message = Buffer.from(await takeOne(server, server.account(1)), 'latin1').toString()
  assert.match(message, /^Subject: Grüße\r\n/m)
  assert.ok(message.endsWith('\r\n\r\nÄÖÜ\r\n'))
  mailer.close()
})

test('DSN: a success is told, with the envelope id', async () => {
  const mailer = transport('submissions')
  const dsn = { id: 'some+id=1', return: 'headers', notify: ['success'], recipient: to() }
  await mailer.sendMail({ from: from(), to: to(), subject: 'tell me', text: 'x', dsn })
  await takeOne(server, server.account(1))
  const notice = await takeOne(server)
  assert.match(notice, /^Original-Envelope-Id: some\+id=1\r$/m)
  assert.match(notice, /^Action: delivered\r$/m)
  mailer.close()
})

test('errors are those that nodemailer names', async () => {
  const wrong = transport('submissions', { auth: { user: from(), pass: 'wrong' } })
  await assert.rejects(wrong.sendMail({ from: from(), to: to(), text: 'x' }), {
    code: 'EAUTH',
    responseCode: 535,
  })
  const mailer = transport('submissions')
  const send = (more: object) => mailer.sendMail({ from: from(), to: to(), text: 'x', ...more })
  await assert.rejects(send({ to: 'nobody-here@demo.test' }), {
    code: 'EENVELOPE',
    responseCode: 550,
    command: 'RCPT TO',
  })
  await assert.rejects(send({ from: 'bob@demo.test' }), {
    code: 'EENVELOPE',
    responseCode: 550,
    command: 'MAIL FROM',
  })
  const some = await send({ to: [to(), 'nobody-here@demo.test'] })
  assert.deepEqual(some.rejected, ['nobody-here@demo.test'])
  await takeOne(server, server.account(1))
  await assert.rejects(send({ text: 'x'.repeat(76).concat('\n').repeat(120_000) }), {
    responseCode: 552,
  })
  mailer.close()
  wrong.close()
})
