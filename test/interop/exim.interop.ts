/** A real Exim: as our next hop, and as a client that sends to our MX and LMTP listeners. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createTransport } from 'nodemailer'
import { clear, type Server, startServer } from '../kit/server.ts'
import { type Exim, endExims, startHardExim } from './exim.ts'
import { type EximRelay, endEximRelays, startEximRelay } from './exim-relay.ts'
import { becomes, post, said } from './letter.ts'
import { bodyOf, takeOne } from './mailbox.ts'
import { lacks, until } from './program.ts'
import { endSinks, freePort, type Sink, startSink } from './sink.ts'

const skip = lacks('exim4', 'smtp-sink', 'root')
let ours: Server
let theirs: EximRelay
let sink: Sink

before(async () => {
  if (skip) return
  sink = await startSink(['-N'])
  const [smtp, lmtp] = [await freePort(), await freePort()]
  theirs = await startEximRelay({
    routes: {
      'demo.test': { port: smtp },
      'lmtp.test': { port: lmtp, protocol: 'lmtp' },
      'sink.test': { port: sink.port },
    },
  })
  ours = await startServer({
    set: {
      'listeners.smtp.port': smtp,
      'listeners.lmtp.port': lmtp,
      'outbound.smarthost': `{"host":"127.0.0.1","port":${theirs.port},"tls":"opportunistic"}`,
      domains: '["lmtp.test"]',
      aliases: '{"bob@lmtp.test":"bob@demo.test"}',
      'queue.retry': '700ms',
      'log.level': 'debug',
    },
  })
})
after(async () => {
  endEximRelays()
  endExims()
  endSinks()
  if (!skip) {
    assert.deepEqual(ours.faults(), [])
    await ours.stop()
  }
  clear()
})

test('Exim takes our mail and delivers it unchanged', { skip }, async () => {
  const content = `From: ${ours.account(0).address}\r\nSubject: to exim\r\n\r\n.\r\n..dots\r\nHello\r\n`
  const id = await post(ours, { to: ['joe@exim.test'], content })
  await becomes(ours, id, 'joe@exim.test', 'relayed')
  const box = await until('the message', () => theirs.mailbox() || undefined)
  assert.match(box, /^Return-path: <alice@demo\.test>$/m)
  assert.ok(box.endsWith('\n.\n..dots\nHello\n\n'), box)
})

test('what Exim carries on for us arrives octet for octet, a thousand recipients at once', {
  skip,
}, async () => {
  const to = Array.from({ length: 1_000 }, (_, at) => `u${at}@sink.test`)
  const id = await post(ours, { to })
  await becomes(ours, id, 'u999@sink.test', 'relayed', 20_000)
  await until(
    'all at the sink',
    () => {
      const named = new Set(
        sink.messages().flatMap(text => [...text.matchAll(/<u\d+@sink\.test>/g)].map(String)),
      )
      return named.size >= 1_000 ? true : undefined
    },
    20_000,
  )
})

test('Exim as a client sends to our MX and LMTP listeners, and what is refused comes back', {
  skip,
}, async () => {
  const mailer = createTransport({ host: '127.0.0.1', port: theirs.port, ignoreTLS: true })
  const bob = ours.account(1)
  await mailer.sendMail({
    from: 'joe@exim.test',
    to: [bob.address, 'nobody-here@demo.test'],
    subject: 'from Exim',
    text: '.\n..\nHello\n',
  })
  const message = await takeOne(ours, bob)
  assert.match(message, /^Return-Path: <joe@exim\.test>\r$/m)
  assert.match(message, /\bwith ESMTPS?\b/)
  assert.equal(bodyOf(message).replace(/\r\n$/, ''), '.\r\n..\r\nHello')
  await until('the bounce', () =>
    /550 5\.1\.1 .*no such mailbox here/.test(theirs.mailbox()) ? true : undefined,
  )
  await mailer.sendMail({
    from: 'joe@exim.test',
    to: ['bob@lmtp.test', 'nobody@lmtp.test'],
    subject: 'by LMTP',
    text: 'x',
  })
  assert.match(await takeOne(ours, bob), /\bwith LMTPS\b/)
  await until('the refusal by LMTP', () =>
    /nobody@lmtp\.test[\s\S]*550 5\.1\.1/.test(theirs.mailbox()) ? true : undefined,
  )
  mailer.close()
})

test('an Exim that greylists, tarpits, refuses one and hangs up once: each recipient gets what is his, once', {
  skip,
}, async () => {
  const hard: Exim = await startHardExim()
  const hop = { host: '127.0.0.1', port: hard.port, tls: 'opportunistic' }
  const server = await startServer({
    set: {
      'outbound.smarthost': JSON.stringify(hop),
      'queue.retry': '700ms',
      'log.level': 'debug',
    },
  })
  const taken = ['good', 'grey', 'slow', 'leave', 'last'].map(name => `${name}@hard.test`)
  const id = await post(server, { to: ['bad@hard.test', ...taken] })
  for (const recipient of taken) await becomes(server, id, recipient, 'relayed', 30_000)
  assert.equal((await becomes(server, id, 'bad@hard.test', 'failed')).status, '5.1.1')
  const greylisted = said(server, id, 'grey@hard.test')[0]
  assert.match(`${greylisted?.state} ${greylisted?.status}`, /^queued 4\.7\.1$/)
  const copies = (recipient: string) =>
    hard
      .log()
      .split('\n')
      .filter(line => line.includes(`:blackhole: <${recipient}>`)).length
  // It has them on record, and then delivers each message by a process of its own.
  await until('all are delivered there', () => taken.every(one => copies(one) > 0) || undefined)
  for (const recipient of taken) assert.equal(copies(recipient), 1, recipient)
  assert.match(await takeOne(server), /^Final-Recipient: rfc822; bad@hard\.test\r$/m)
  assert.deepEqual(server.faults(), [])
  await server.stop()
})
