/**
 * Mail relayed to smtp-sink, which refuses, defers and hangs up at every stage. One server; a
 * `route` hook sends each test's domain to its own sink.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { becomes, post, said } from './letter.ts'
import { takeOne } from './mailbox.ts'
import { lacks } from './program.ts'
import { endSinks, type Sink, startSink } from './sink.ts'

let server: Server
const skip = lacks('smtp-sink')

const CONFIG = `import { defineConfig } from 'postrider'
export default defineConfig({
  hooks: {
    route: ({ domain }) => {
      const port = Number(/^p([0-9]+)[.]test$/.exec(domain)?.[1])
      return port ? { kind: 'smarthost', host: '127.0.0.1', port, tls: 'opportunistic' } : undefined
    },
  },
})
`

before(async () => {
  const config = join(newFolder('config'), 'postrider.config.ts')
  writeFileSync(config, CONFIG)
  server = await startServer({
    config,
    set: {
      'queue.retry': '700ms',
      'outbound.replyTimeout': '5s',
      'outbound.idle': '100ms',
      'log.level': 'debug',
      'limits.perAddress': 1000,
    },
  })
})
after(async () => {
  assert.deepEqual(server.faults(), [])
  endSinks()
  await server.stop()
  clear()
})

const at = (sink: Sink, name = 'joe') => `${name}@p${sink.port}.test`

/** How smtp-sink is told to fail for the moment, and at which of its stages. */
const PASSING: readonly (readonly [string, string, readonly string[]])[] = [
  ['defers', '-r', ['CONNECT', 'MAIL', 'RCPT', 'DATA', '.', 'EHLO,HELO']],
  ['hangs up', '-q', ['CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA', '.']],
  ['says 421 and hangs up', '-Q', ['CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA', '.']],
]

for (const [what, flag, stages] of PASSING) {
  for (const stage of stages) {
    test(`a next hop that ${what} at ${stage} gets the mail later, once`, { skip }, async () => {
      const bad = await startSink([flag, stage])
      const id = await post(server, { to: [at(bad)] })
      // Who hangs up behind the whole message may have taken it.
      const doubtful = flag === '-q' && stage === '.'
      const waits = await becomes(server, id, at(bad), doubtful ? 'doubt' : 'queued')
      assert.match(waits.status, /^4\.\d+\.\d+$/)
      await bad.stop()
      const good = await startSink([], bad.port)
      await becomes(server, id, at(bad), 'relayed')
      assert.equal(good.messages().length, 1)
      assert.match(good.messages()[0] ?? '', /^Subject: letter$/m)
      await good.stop()
    })
  }
}

test('recipients that were deferred together are offered together again', { skip }, async () => {
  const bad = await startSink(['-r', 'RCPT'])
  const to = ['ann', 'joe', 'sue'].map(name => at(bad, name))
  const id = await post(server, { to })
  for (const recipient of to) await becomes(server, id, recipient, 'queued')
  await bad.stop()
  const good = await startSink([], bad.port)
  for (const recipient of to) await becomes(server, id, recipient, 'relayed')
  assert.equal(good.messages().length, 1)
  await good.stop()
})

for (const stage of ['MAIL', 'RCPT', 'DATA', '.']) {
  test(`a next hop that refuses at ${stage} makes a notice`, { skip }, async () => {
    const sink = await startSink(['-f', stage])
    const id = await post(server, { to: [at(sink)] })
    const failed = await becomes(server, id, at(sink), 'failed')
    assert.match(failed.status, /^5\./)
    const notice = await noticeOf(at(sink))
    assert.match(notice, /^Action: failed\r$/m)
    assert.match(notice, /^Status: 5\.3\.0\r$/m)
    assert.match(notice, /^Diagnostic-Code: smtp; 500 5\.3\.0 Error: command failed\r$/m)
    await sink.stop()
  })
}

/** The notice about one recipient; those of tests at work at the same time are not taken. */
async function noticeOf(recipient: string): Promise<string> {
  const notice = await takeOne(server)
  assert.ok(notice.includes(`Final-Recipient: rfc822; ${recipient}`), notice)
  return notice
}

test('a hello in the old way will do where EHLO is refused', { skip }, async () => {
  for (const flags of [['-f', 'EHLO'], ['-e'], ['-P']]) {
    const sink = await startSink(flags)
    const id = await post(server, { to: [at(sink)] })
    await becomes(server, id, at(sink), 'relayed')
    assert.equal(sink.messages().length, 1)
    assert.match(sink.messages()[0] ?? '', /^X-Helo-Args: /m)
    await sink.stop()
  }
})

test('a next hop that greets with 5xx or knows no hello at all ends in sight', {
  skip,
}, async () => {
  for (const stage of ['CONNECT', 'EHLO,HELO']) {
    const sink = await startSink(['-f', stage])
    const id = await post(server, { to: [at(sink)] })
    const event = await becomes(server, id, at(sink), ['queued', 'failed'])
    if (event.state === 'failed') await noticeOf(at(sink))
    else await server.run('queue', 'delete', '--yes', id)
    await sink.stop()
  }
})

test('extensions that are not there are done without', { skip }, async () => {
  for (const flag of ['-E', '-p', '-N', '-8', '-a']) {
    const sink = await startSink([flag])
    const id = await post(server, { to: [at(sink), at(sink, 'ann')] })
    await becomes(server, id, at(sink), 'relayed')
    await becomes(server, id, at(sink, 'ann'), 'relayed')
    const messages = sink.messages()
    assert.equal(messages.length, 1)
    assert.equal(messages[0]?.match(/^X-Rcpt-Args: /gm)?.length, 2)
    await sink.stop()
  }
})

test('a DATA that is answered with 354 and then 550 ends in a notice', { skip }, async () => {
  const sink = await startSink(['-A', '0'])
  const content = `From: ${server.account(0).address}\r\nSubject: big\r\n\r\n${'x'.repeat(70).concat('\r\n').repeat(20_000)}`
  const id = await post(server, { to: [at(sink)], content })
  const event = await becomes(server, id, at(sink), ['failed', 'queued'])
  if (event.state === 'failed') await noticeOf(at(sink))
  else await server.run('queue', 'delete', '--yes', id)
  await sink.stop()
})

test('a slow next hop is waited for, a silent one is not for ever', { skip }, async () => {
  const slow = await startSink(['-w', '2'])
  const id = await post(server, { to: [at(slow)] })
  await becomes(server, id, at(slow), 'relayed')
  await slow.stop()
  const silent = await startSink(['-w', '60'])
  const other = await post(server, { to: [at(silent)] })
  const waits = await becomes(server, other, at(silent), 'queued')
  assert.match(waits.status, /^4\.4\./)
  await silent.stop()
  await server.run('queue', 'delete', '--yes', other)
})

test('a hundred messages go over few connections, all of them', { skip }, async () => {
  const sink = await startSink([])
  const ids = await Promise.all(
    Array.from({ length: 100 }, (_, i) => post(server, { to: [at(sink, `user${i}`)] })),
  )
  for (const [i, id] of ids.entries()) await becomes(server, id, at(sink, `user${i}`), 'relayed')
  const messages = sink.messages()
  assert.equal(messages.length, 100)
  assert.equal(new Set(messages.map(text => /^X-Rcpt-Args: (.*)$/m.exec(text)?.[1])).size, 100)
  for (const id of ids) assert.equal(said(server, id).length, 1)
  await sink.stop()
})
