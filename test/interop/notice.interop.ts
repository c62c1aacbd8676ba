/**
 * Delivery notices as Python's email package reads them (RFC 3464): every MUST field, for every
 * NOTIFY and RET, with a next hop that does DSN and with one that does not.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { becomes, post } from './letter.ts'
import { takeAll, takeOne } from './mailbox.ts'
import { lacks, run } from './program.ts'
import { endSinks, type Sink, startSink } from './sink.ts'

const skip = lacks('python3', 'smtp-sink')
let server: Server
/** Next hops: one does DSN, one does not, one refuses, one defers. */
let dsn: Sink
let plain: Sink
let bad: Sink
let busy: Sink

const CONFIG = `import { defineConfig } from 'postrider'
export default defineConfig({
  notices: {
    from: 'Poststelle Süd <post@example.org>',
    language: 'de',
    delay: { subject: 'Verspätet: {subject}', text: 'Noch unterwegs bis {until}:\\n\\n{recipients}' },
  },
  hooks: {
    route: ({ domain }) => {
      const port = Number(/^p([0-9]+)[.]test$/.exec(domain)?.[1])
      return port ? { kind: 'smarthost', host: '127.0.0.1', port, tls: 'never' } : undefined
    },
  },
})
`

before(async () => {
  if (skip) return
  const config = join(newFolder('config'), 'postrider.config.ts')
  writeFileSync(config, CONFIG)
  server = await startServer({
    config,
    set: {
      'log.level': 'debug',
      'queue.retry': '500ms',
      'queue.delayWarning': '1s',
      'queue.expire': '3s',
    },
  })
  dsn = await startSink([])
  plain = await startSink(['-N'])
  bad = await startSink(['-f', 'RCPT'])
  busy = await startSink(['-r', 'RCPT'])
})
after(async () => {
  endSinks()
  if (!skip) await server.stop()
  clear()
})

/** What the script says of a notice. */
interface Read {
  readonly action: string
  readonly status: string
  readonly final: string
  readonly original: string | null
  readonly envelope: string | null
  /** Type of the third part, and whether the body came back. */
  readonly third: string
  readonly whole: boolean
  readonly fields: readonly string[]
  /** Of each recipient. */
  readonly finals: readonly string[]
  readonly from: string
  readonly subject: string
  readonly text: string
}

/** The notice, every rule of form checked by the script. */
async function readNotice(message: string): Promise<Read> {
  const script = fileURLToPath(new URL('read-notice.py', import.meta.url))
  const ran = await run('python3', [script], { input: Buffer.from(message, 'latin1') })
  assert.equal(ran.code, 0, `${ran.text}\n${message}`)
  return JSON.parse(ran.text) as Read
}

const FAILS: readonly (readonly [string, string, 'none' | 'headers' | 'whole'])[] = [
  ['', '', 'whole'],
  ['NOTIFY=FAILURE', 'RET=FULL', 'whole'],
  ['NOTIFY=SUCCESS,FAILURE', 'RET=HDRS', 'headers'],
  ['NOTIFY=NEVER', '', 'none'],
  ['NOTIFY=SUCCESS', '', 'none'],
]

for (const [notify, ret, comes] of FAILS) {
  test(`a failure with ${notify || 'no NOTIFY'} ${ret} returns: ${comes}`, { skip }, async () => {
    const to = `joe@p${bad.port}.test`
    const id = await post(server, {
      to: [`${to} ${notify} ORCPT=rfc822;Joe+2BX@example.org`],
      mail: `${ret} ENVID=QQ+2B1`,
    })
    await becomes(server, id, to, 'failed')
    if (comes === 'none') {
      await new Promise(resolve => setTimeout(resolve, 300))
      assert.equal((await takeAll(server, server.account(0))).length, 0)
      return
    }
    const read = await readNotice(await takeOne(server))
    assert.equal(read.action, 'failed')
    assert.match(read.status, /^5\./)
    assert.equal(read.final, `rfc822; ${to}`)
    assert.equal(read.original, 'rfc822; Joe+X@example.org')
    assert.equal(read.envelope, 'QQ+1')
    assert.equal(read.whole, comes === 'whole')
    assert.ok(read.fields.includes('remote-mta') && read.fields.includes('diagnostic-code'))
  })
}

test('NOTIFY=SUCCESS to a mailbox here: delivered', { skip }, async () => {
  const to = server.account(1).address
  await post(server, { to: [`${to} NOTIFY=SUCCESS`], mail: 'RET=FULL ENVID=abc' })
  await takeOne(server, server.account(1))
  const read = await readNotice(await takeOne(server))
  assert.equal(read.action, 'delivered')
  assert.match(read.status, /^2\./)
  assert.equal(read.envelope, 'abc')
  // RFC 3461 §6.2 (e): what was delivered comes back as its header, whatever RET says.
  assert.equal(read.whole, false)
})

test('NOTIFY=SUCCESS to a next hop without DSN: relayed', { skip }, async () => {
  const to = `joe@p${plain.port}.test`
  const id = await post(server, { to: [`${to} NOTIFY=SUCCESS`] })
  await becomes(server, id, to, 'relayed')
  const read = await readNotice(await takeOne(server))
  assert.equal(read.action, 'relayed')
  assert.match(read.status, /^2\./)
})

test('NOTIFY=SUCCESS to a next hop with DSN: passed on, and no word of ours', {
  skip,
}, async () => {
  const to = `joe@p${dsn.port}.test`
  const id = await post(server, {
    to: [`${to} NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@y.example`],
    mail: 'RET=HDRS ENVID=e1',
  })
  await becomes(server, id, to, 'relayed')
  const sent = dsn.messages().find(text => text.includes(id)) ?? ''
  assert.match(sent, /^X-Mail-Args: .*RET=HDRS/m)
  assert.match(sent, /^X-Mail-Args: .*ENVID=e1/m)
  assert.match(sent, /^X-Rcpt-Args: .*NOTIFY=SUCCESS,DELAY/m)
  assert.match(sent, /^X-Rcpt-Args: .*ORCPT=rfc822;x@y\.example/m)
  await new Promise(resolve => setTimeout(resolve, 300))
  assert.equal((await takeAll(server, server.account(0))).length, 0)
})

test('a delay is told once, where it is wanted, and then the end', { skip }, async () => {
  const to = (name: string) => `${name}@p${busy.port}.test`
  const id = await post(server, {
    to: [to('asked').concat(' NOTIFY=DELAY,FAILURE'), to('never').concat(' NOTIFY=NEVER')],
  })
  const delayed = await readNotice(await takeOne(server))
  assert.equal(delayed.action, 'delayed')
  assert.match(delayed.status, /^4\./)
  assert.equal(delayed.final, `rfc822; ${to('asked')}`)
  assert.ok(delayed.fields.includes('will-retry-until'))
  // In the words of the operator, and in his script.
  assert.match(delayed.from, /Poststelle Süd/)
  assert.equal(delayed.subject, 'Verspätet: letter')
  assert.match(delayed.text, /Noch unterwegs bis \w+, \d+ /)
  await becomes(server, id, to('asked'), 'expired')
  await becomes(server, id, to('never'), 'expired')
  const failed = await readNotice(await takeOne(server))
  assert.equal(failed.action, 'failed')
  assert.equal(failed.status, '5.4.7')
  assert.equal((await takeAll(server, server.account(0))).length, 0)
})

test('recipients that fail together are told of together', { skip }, async () => {
  const to = ['a', 'b', 'c'].map(name => `${name}@p${bad.port}.test`)
  const id = await post(server, { to })
  for (const address of to) await becomes(server, id, address, 'failed')
  const read = await readNotice(await takeOne(server))
  assert.deepEqual(
    read.finals,
    to.map(address => `rfc822; ${address}`),
  )
  assert.equal((await takeAll(server, server.account(0))).length, 0)
})

test('a notice about a message in UTF-8 is readable too', { skip }, async () => {
  const to = `jörg@p${bad.port}.test`
  const from = server.account(0).address
  const content = Buffer.from(`From: ${from}\r\nSubject: Grüße\r\n\r\nÄ\r\n`)
  const mail = 'SMTPUTF8 BODY=8BITMIME'
  const id = await post(server, { to: [to], mail, content })
  await becomes(server, id, to, 'failed')
  const notice = Buffer.from(await takeOne(server), 'latin1').toString()
  assert.match(notice, /Content-Type: message\/global-delivery-status|Final-Recipient: utf-8;/i)
})
