/**
 * A real Postfix: as our next hop, which defers, refuses and hangs up recipient by recipient; and as
 * a client whose smart host we are, by SMTP on the MX port and by LMTP.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createTransport } from 'nodemailer'
import { clear, type Server, startServer } from '../kit/server.ts'
import { becomes, post, said } from './letter.ts'
import { belowTrace, bodyOf, take, takeOne } from './mailbox.ts'
import { endPostfixes, type Postfix, startPostfix } from './postfix.ts'
import { lacks, until } from './program.ts'

const skip = lacks('postfix', 'root')
let ours: Server
let theirs: Postfix
/** How often a recipient was asked for. */
const asked = new Map<string, number>()

function judge(recipient: string): string | undefined {
  const times = (asked.get(recipient) ?? 0) + 1
  asked.set(recipient, times)
  if (recipient.startsWith('grey') && times === 1) return '450 4.2.0 Greylisted, come again'
  if (recipient.startsWith('bad')) return '550 5.1.1 No such user'
  if (recipient.startsWith('leave') && times === 1) return '421 4.7.0 Not now'
  return undefined
}

before(async () => {
  if (skip) return
  theirs = await startPostfix({ judge })
  ours = await startServer({
    set: {
      'outbound.smarthost': `{"host":"127.0.0.1","port":${theirs.port},"tls":"opportunistic"}`,
      'queue.retry': '700ms',
      'log.level': 'debug',
    },
  })
})
after(async () => {
  endPostfixes()
  if (!skip) {
    assert.deepEqual(ours.faults(), [])
    await ours.stop()
  }
  clear()
})

/** Waits for the message with this subject in Postfix's Maildir. */
function arrived(subject: string): Promise<string> {
  return until(`${subject} at Postfix`, () =>
    theirs.messages().find(text => new RegExp(`^Subject: ${subject}\r$`, 'm').test(text)),
  )
}

function letter(subject: string, body = 'Hello\r\n.\r\n..dots\r\n'): string {
  return `From: ${ours.account(0).address}\r\nSubject: ${subject}\r\n\r\n${body}`
}

test('Postfix takes our mail under TLS and delivers it unchanged', { skip }, async () => {
  const id = await post(ours, { to: ['joe@remote.test'], content: letter('plain') })
  await becomes(ours, id, 'joe@remote.test', 'relayed')
  const message = await arrived('plain')
  assert.match(message, /^Return-Path: <alice@demo\.test>\r$/m)
  assert.match(
    message,
    /^Received: from mail\.demo\.test .*\r\n\tby postfix\.test \(Postfix\) with ESMTPS /m,
  )
  assert.equal(bodyOf(message), 'Hello\r\n.\r\n..dots\r\n')
})

test('8-bit and UTF-8 mail goes through to Postfix as it is', { skip }, async () => {
  const body = `${Buffer.from('Grüße aus Köln').toString('latin1')}\r\n`
  const content = Buffer.from(letter('eight', body), 'latin1')
  const id = await post(ours, { to: ['joe@remote.test'], content, mail: 'BODY=8BITMIME' })
  await becomes(ours, id, 'joe@remote.test', 'relayed')
  assert.equal(bodyOf(await arrived('eight')), body)
  const wide = await post(ours, {
    to: ['jörg@remote.test'],
    content: Buffer.from(letter('utf8', 'Grüße\r\n')),
    mail: 'SMTPUTF8 BODY=8BITMIME',
  })
  await becomes(ours, wide, 'jörg@remote.test', 'relayed')
  assert.equal(Buffer.from(bodyOf(await arrived('utf8')), 'latin1').toString(), 'Grüße\r\n')
})

test('a greylisted recipient waits, an unknown one fails, the third is served at once', {
  skip,
}, async () => {
  const to = ['grey@remote.test', 'bad@remote.test', 'good@remote.test']
  const id = await post(ours, { to, content: letter('three ways') })
  await becomes(ours, id, 'good@remote.test', 'relayed')
  const failed = await becomes(ours, id, 'bad@remote.test', 'failed')
  assert.equal(failed.status, '5.1.1')
  await becomes(ours, id, 'grey@remote.test', 'relayed')
  assert.match(said(ours, id, 'grey@remote.test')[0]?.status ?? '', /^4\.2\.0$/)
  const notice = await takeOne(ours)
  assert.match(notice, /^Final-Recipient: rfc822; bad@remote\.test\r$/m)
  assert.match(notice, /^Diagnostic-Code: smtp; 550 5\.1\.1 .*\r\n rejected: No such user/m)
  assert.doesNotMatch(notice, /^Final-Recipient: rfc822; (?:grey|good)/m)
  assert.equal(theirs.messages().filter(text => /^Subject: three ways\r$/m.test(text)).length, 2)
})

test('Postfix hangs up with 421 at one recipient: all come through, none twice', {
  skip,
}, async () => {
  const to = ['first@remote.test', 'leave@remote.test', 'last@remote.test']
  const id = await post(ours, { to, content: letter('interrupted') })
  for (const recipient of to) await becomes(ours, id, recipient, 'relayed')
  const delivered = await until('three copies', () => {
    const found = theirs.messages().filter(text => /^Subject: interrupted\r$/m.test(text))
    return found.length >= 3 ? found : undefined
  })
  const names = delivered.map(
    text => /^X?-?Original-To: (.*)\r$|^Delivered-To: (.*)\r$/m.exec(text)?.[0],
  )
  assert.equal(new Set(names).size, 3)
  assert.equal(delivered.length, 3)
})

test('Postfix takes NOTIFY over and tells our user of the delivery itself', { skip }, async () => {
  const id = await post(ours, {
    to: ['dsn@remote.test NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;dsn@remote.test'],
    mail: 'RET=HDRS ENVID=QQ314159',
    content: letter('dsn'),
  })
  await becomes(ours, id, 'dsn@remote.test', 'relayed')
  await arrived('dsn')
  assert.match(theirs.log(), /status=sent/)
})

for (const [name, transport, port, main] of [
  ['SMTP', 'smtp', 'smtp', {}],
  ['SMTP under TLS', 'smtp', 'smtp', { smtp_tls_security_level: 'verify' }],
  ['LMTP', 'lmtp', 'lmtp', {}],
] as const) {
  test(`Postfix as a client sends to us by ${name}`, { skip }, async () => {
    const hop = `${transport}:[localhost]:${ours.port(port)}`
    const client = await startPostfix({
      main: {
        default_transport: hop,
        relay_domains: 'demo.test',
        relay_transport: hop,
        relay_recipient_maps: '',
        smtp_host_lookup: 'native',
        lmtp_host_lookup: 'native',
        smtp_tls_CAfile: ours.certificate,
        smtputf8_enable: 'yes',
        ...main,
      },
    })
    const mailer = createTransport({ host: '127.0.0.1', port: client.port, ignoreTLS: true })
    const bob = ours.account(1)
    const notices: Promise<string>[] = []
    await mailer.sendMail({
      from: 'joe@postfix.test',
      to: bob.address,
      subject: 'from Postfix',
      text: '.\n..\nHello\n',
      dsn: { id: 'Q1', return: 'headers', notify: ['success'], recipient: bob.address },
    })
    const message = await takeOne(ours, bob)
    assert.match(message, /^Return-Path: <joe@postfix\.test>\r$/m)
    assert.match(message, /^Subject: from Postfix\r$/m)
    assert.equal(bodyOf(message).replace(/\r\n$/, ''), '.\r\n..\r\nHello')
    if (name.includes('TLS')) assert.match(message, /\bwith ESMTPS\b[^;]*TLSv1/)
    if (name === 'LMTP') assert.match(message, /\bwith LMTP\b/)
    assert.match(client.log(), /status=sent \(250 2\.\d\.\d /)
    // Several recipients, some of them unknown; UTF-8; eight bits; a large one.
    await mailer.sendMail({
      from: 'joe@postfix.test',
      to: [bob.address, ours.account(0).address, 'nobody-here@demo.test'],
      subject: 'to three',
      text: 'x'.repeat(60).concat('\n').repeat(20_000),
    })
    for (const account of ours.accounts) {
      const [large] = await take(ours, 1, account)
      assert.ok((large as Buffer).length > 1_200_000)
      assert.match(belowTrace(large as Buffer).toString('latin1'), /^Subject: to three\r$/m)
    }
    await until('the refusal', () =>
      /status=bounced .*5\.1\.1/.test(client.log()) ? true : undefined,
    )
    const raw = Buffer.from('From: jörg@postfix.test\r\nSubject: Grüße\r\n\r\nGrüße\r\n')
    await mailer.sendMail({
      envelope: { from: 'jörg@postfix.test', to: [bob.address] },
      raw,
    })
    const wide = Buffer.from(await takeOne(ours, bob), 'latin1').toString()
    assert.match(wide, /^Return-Path: <jörg@postfix\.test>\r$/m)
    assert.match(wide, /^Subject: Grüße\r$/m)
    mailer.close()
    await Promise.all(notices)
    client.stop()
  })
}
