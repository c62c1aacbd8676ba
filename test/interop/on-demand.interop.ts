/**
 * Mail for who is not always there, with other people's programs: fetchmail asks us by ETRN and by ODMR, a
 * Postfix takes what we keep for it; a Postfix and an Exim that keep mail for us are asked by ETRN.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createTransport } from 'nodemailer'
import { clear, run as cli, newFolder, type Server, startServer } from '../kit/server.ts'
import { endExims, startExim } from './exim.ts'
import { post, said } from './letter.ts'
import { takeOne } from './mailbox.ts'
import { endPostfixes, type Postfix, startPostfix } from './postfix.ts'
import { lacks, run, until } from './program.ts'
import { freePort } from './sink.ts'

const skip = lacks('fetchmail', 'postfix', 'root')
const SECRET = 'a secret of two'
let provider: Server
let customer: Postfix

before(async () => {
  if (skip) return
  customer = await startPostfix()
  const onDemand = {
    'remote.test': {
      accounts: ['alice@demo.test'],
      peers: ['127.0.0.1'],
      host: `127.0.0.1:${customer.port}`,
      secret: SECRET,
    },
  }
  provider = await startServer({
    set: {
      onDemand: JSON.stringify(onDemand),
      'listeners.smtp.with': 'ETRN',
      'listeners.odmr.enabled': true,
      'listeners.odmr.address': '127.0.0.1',
      'log.level': 'debug',
    },
  })
})
after(async () => {
  endPostfixes()
  endExims()
  if (!skip) {
    assert.deepEqual(provider.faults(), [])
    await provider.stop()
  }
  clear()
})

function letter(subject: string): string {
  return `From: ${provider.account(0).address}\r\nSubject: ${subject}\r\n\r\n.\r\n..dots\r\n`
}

/** Hands letters in, and waits until they are kept. */
async function keep(...subjects: string[]): Promise<void> {
  for (const subject of subjects) {
    const id = await post(provider, { to: ['joe@remote.test'], content: letter(subject) })
    await until('kept', () =>
      said(provider, id).some(({ reason }) => reason.startsWith('kept until')) ? true : undefined,
    )
  }
}

/** Waits until all of them lie at the customer, each once and whole. */
async function arrive(...subjects: string[]): Promise<void> {
  for (const subject of subjects) {
    const found = await until(subject, () => {
      const some = customer.messages().filter(text => text.includes(`Subject: ${subject}\r\n`))
      return some.length > 0 ? some : undefined
    })
    assert.equal(found.length, 1)
    assert.ok(found[0]?.endsWith('\r\n\r\n.\r\n..dots\r\n'))
  }
}

/** fetchmail with a password where a protocol wants one; its exit code is 0, or 1 where there is no mail. */
async function fetchmail(protocol: 'ETRN' | 'ODMR', port: number, ...more: string[]) {
  const rc = join(newFolder('fetchmail'), 'rc')
  const user = protocol === 'ODMR' ? ` user "alice@demo.test" password "${SECRET}"` : ''
  const smtp = `fetchdomains remote.test smtphost "127.0.0.1/${customer.port}"`
  writeFileSync(rc, `poll 127.0.0.1 protocol ${protocol} service ${port}${user} ${smtp}\n`, {
    mode: 0o600,
  })
  const args = ['-f', rc, '--nosyslog', '--nodetach', '-v', '-v', '--sslproto', '', ...more]
  return run('fetchmail', args, { timeoutMs: 30_000 })
}

test('fetchmail starts the delivery by ETRN', { skip }, async () => {
  const none = await fetchmail('ETRN', provider.port('smtp'))
  assert.match(none.text, /251 2\.0\.0 No messages waiting for node remote\.test/)
  await keep('etrn one', 'etrn two')
  const some = await fetchmail('ETRN', provider.port('smtp'))
  assert.match(some.text, /253 2\.0\.0 2 pending messages for node remote\.test started/)
  assert.equal(some.code, 0, some.text)
  await arrive('etrn one', 'etrn two')
})

test('fetchmail takes mail by ODMR and hands it to the customer', { skip }, async () => {
  const port = provider.port('odmr')
  const none = await fetchmail('ODMR', port)
  assert.match(none.text, /You have no mail/)
  await keep('odmr one', 'odmr two', 'odmr three')
  const some = await fetchmail('ODMR', port)
  assert.match(some.text, /Turnaround now/)
  await arrive('odmr one', 'odmr two', 'odmr three')
  const again = await fetchmail('ODMR', port)
  assert.match(again.text, /You have no mail/)
})

/** A server that keeps mail for demo.test is given some, and is asked for it by ETRN. */
async function askForKept(
  port: number,
  ours: Server,
  held: () => boolean,
  node = 'demo.test',
): Promise<void> {
  const bob = ours.account(1)
  const mailer = createTransport({ host: '127.0.0.1', port, ignoreTLS: true })
  await mailer.sendMail({ from: 'joe@postfix.test', to: bob.address, subject: 'kept', text: 'x' })
  mailer.close()
  await until('it is kept', () => (held() ? true : undefined))
  const asked = await cli([
    ...['fetch', '127.0.0.1', '--etrn', '--port', String(port), '--tls', 'never'],
    ...['--domain', node, '--data', ours.data],
  ])
  assert.equal(asked.err, '')
  assert.match(asked.out, /^127\.0\.0\.1: ETRN #?demo\.test: 250 /)
  assert.match(await takeOne(ours, bob), /^Subject: kept\r$/m)
  assert.deepEqual(ours.faults(), [])
  await ours.stop()
}

test('a Postfix that keeps mail for us is asked by ETRN', { skip }, async () => {
  const port = await freePort()
  const keeper = await startPostfix({
    main: {
      relay_domains: 'demo.test',
      relay_recipient_maps: '',
      relay_transport: `relay:[127.0.0.1]:${port}`,
      defer_transports: 'relay',
      smtp_host_lookup: 'native',
      smtpd_etrn_restrictions: 'permit_mynetworks, reject',
    },
  })
  const ours = await startServer({ set: { 'listeners.smtp.port': port, 'log.level': 'debug' } })
  await askForKept(keeper.port, ours, () => /status=deferred/.test(keeper.log()))
})

const noExim = lacks('exim4', 'root')
test('an Exim that keeps mail for us is asked by ETRN', { skip: noExim }, async () => {
  const port = await freePort()
  const keeper = await startExim('demo.test', port)
  const ours = await startServer({ set: { 'listeners.smtp.port': port, 'log.level': 'debug' } })
  // Exim takes names of queues alone, unless it is given a command of its own for domains.
  const held = () => / <= joe@postfix\.test /.test(keeper.log())
  await askForKept(keeper.port, ours, held, '#demo.test')
})

test('a Postrider takes its mail from a Postrider by ATRN', { skip }, async () => {
  await keep('from one to another')
  const [alice] = provider.accounts
  const set = {
    domains: '["remote.test"]',
    aliases: '{"joe@remote.test":["bob@demo.test"]}',
    fetch: JSON.stringify([
      {
        host: '127.0.0.1',
        port: provider.port('odmr'),
        tls: 'opportunistic',
        username: alice?.address,
        password: alice?.password,
        every: '1s',
      },
    ]),
  }
  const ours = await startServer({ set })
  const message = await takeOne(ours, ours.account(1))
  assert.match(message, /^Subject: from one to another\r$/m)
  assert.match(message, /^Received: from mail\.demo\.test .* by mail\.demo\.test with ESMTPS\r$/m)
  assert.deepEqual(ours.faults(), [])
  await ours.stop()
})
