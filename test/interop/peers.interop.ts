/**
 * Who speaks for others: swaks as a proxy (PROXY 1 and 2) and as a front end (XCLIENT), Postfix as the
 * filter that tells us by XFORWARD and as the smart host that we tell.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createTransport } from 'nodemailer'
import { clear, run as command, type Server, startServer } from '../kit/server.ts'
import { becomes, post } from './letter.ts'
import { takeOne } from './mailbox.ts'
import { endPostfixes, startPostfix } from './postfix.ts'
import { lacks, run, until } from './program.ts'

let front: Server
let proxied: Server
before(async () => {
  front = await startServer({
    set: {
      'listeners.smtp.xclient': '127.0.0.0/8',
      'listeners.smtp.xforward': '127.0.0.0/8',
      'log.level': 'debug',
    },
  })
  proxied = await startServer({
    set: {
      'listeners.smtp.proxyProtocol': '127.0.0.1',
      'listeners.submissions.proxyProtocol': '127.0.0.1',
    },
  })
})
after(() => {
  endPostfixes()
  clear()
})

/** Sends a small letter to the server's first account; resolves with the message as it lies there. */
async function swaks(to: Server, port: number, ...args: string[]): Promise<string> {
  const { address } = to.account(0)
  const where = ['--server', '127.0.0.1', '--port', `${port}`]
  const ran = await run('swaks', [...where, '--from', address, '--to', address, ...args])
  assert.equal(ran.code, 0, ran.text)
  return takeOne(to, to.account(0))
}

const V4 = ['--proxy-source', '192.0.2.33', '--proxy-source-port', '40000']
const V4_DEST = ['--proxy-dest', '198.51.100.25', '--proxy-dest-port', '25']
const V6 = ['--proxy-source', '2001:db8::33', '--proxy-source-port', '40000']
const V6_DEST = ['--proxy-dest', '2001:db8::25', '--proxy-dest-port', '25']

for (const [name, listener, args, shown] of [
  ['PROXY 1', 'smtp', ['--proxy-family', 'TCP4', ...V4, ...V4_DEST], '192.0.2.33'],
  ['PROXY 1, IPv6', 'smtp', ['--proxy-family', 'TCP6', ...V6, ...V6_DEST], 'IPv6:2001:db8::33'],
  [
    'PROXY 2, then STARTTLS',
    'smtp',
    ['--proxy-version', '2', '--proxy-family', 'AF_INET', ...V4, ...V4_DEST, '-tls'],
    '192.0.2.33',
  ],
  [
    'PROXY 2, IPv6, then TLS at once and a login',
    'submissions',
    ['--proxy-version', '2', '--proxy-family', 'AF_INET6', ...V6, ...V6_DEST, '-tlsc'],
    'IPv6:2001:db8::33',
  ],
] as const) {
  test(`swaks as a proxy: ${name}`, { skip: lacks('swaks') }, async () => {
    const { address, password } = proxied.account(0)
    const login = listener === 'submissions' ? ['-a', 'PLAIN', '-au', address, '-ap', password] : []
    const message = await swaks(proxied, proxied.port(listener), ...args, ...login)
    assert.ok(message.replace(/\r\n\s+/g, ' ').includes(`([${shown}]) by mail.demo.test`), message)
  })
}

test('swaks as a front end: XCLIENT, in one command and in two', {
  skip: lacks('swaks'),
}, async () => {
  const address = ['--xclient-addr', '192.0.2.34', '--xclient-port', '40001']
  const name = ['--xclient-name', 'client.example', '--xclient-proto', 'ESMTP']
  for (const between of [[], ['--xclient-delim']]) {
    const message = await swaks(front, front.port('smtp'), ...address, ...between, ...name)
    assert.match(message.replace(/\r\n\s+/g, ' '), /\(client\.example \[192\.0\.2\.34\]\) by /)
  }
})

test('Postfix as a filter tells us by XFORWARD whom it has the mail from', {
  skip: lacks('postfix', 'root'),
}, async () => {
  const filter = await startPostfix({
    main: {
      relay_domains: 'demo.test',
      relay_transport: `smtp:[127.0.0.1]:${front.port('smtp')}`,
      smtp_send_xforward_command: 'yes',
    },
  })
  const mailer = createTransport({
    host: '127.0.0.1',
    port: filter.port,
    ignoreTLS: true,
    name: 'first.example',
  })
  const { address } = front.account(1)
  await mailer.sendMail({ from: 'joe@postfix.test', to: address, subject: 'x', text: 'x' })
  mailer.close()
  await takeOne(front, front.account(1))
  const id = await until('our id', () => /queued as (\w+)\)/.exec(filter.log())?.[1])
  const { out } = await command(['trace', id, '--data', front.data])
  assert.match(out, /from first\.example \[127\.0\.0\.1\] by way of postfix\.test \[127\.0\.0\.1\]/)
})

test('Postfix as a smart host is told by XFORWARD whom a message came from', {
  skip: lacks('postfix', 'root'),
}, async () => {
  const hop = await startPostfix({ main: { smtpd_authorized_xforward_hosts: '127.0.0.0/8' } })
  const smarthost = { host: '127.0.0.1', port: hop.port, tls: 'never', xforward: true }
  const ours = await startServer({
    set: { 'outbound.smarthost': JSON.stringify(smarthost), 'log.level': 'debug' },
  })
  const id = await post(ours, { to: ['joe@remote.test'] })
  await becomes(ours, id, 'joe@remote.test', 'relayed')
  await until('the line in its log', () =>
    hop.log().includes(`orig_queue_id=${id}, orig_client=`) ? true : undefined,
  )
})
