/** What commands print: aligned, and never a peer's control characters. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExitError } from '../server/exit-error.ts'
import { configText } from './command/init.ts'
import { facts, formatWhen, json, printable, table } from './print.ts'
import { parseServer } from './server-address.ts'
import { showExplained } from './show-explained.ts'
import { verdictOf } from './submit.ts'

test('columns are as wide as their widest cell', () => {
  assert.equal(
    table(
      ['A', 'BB'],
      [
        ['xxx', 'y'],
        ['', 'zzz'],
      ],
      'none',
    ),
    'A    BB\nxxx  y\n     zzz\n',
  )
  assert.equal(table(['A'], [], 'there are none'), 'there are none\n')
  assert.equal(
    facts([
      ['a', '1'],
      ['long', '2'],
      ['gone', undefined],
    ]),
    'a     1\nlong  2\n',
  )
})

test('what came from a peer cannot drive a terminal', () => {
  assert.equal(printable('a\u001b[31mb\r\nc\u009b\u202e'), 'a\\x1b[31mb\\x0d\\x0ac\\x9b\\x202e')
  assert.equal(printable('a\r\n\tb\u0007', true), 'a\n\tb\\x07')
  assert.equal(printable('grüße 你好 👋'), 'grüße 你好 👋')
  assert.equal(printable('a\u200b@b\u200f\u2028\u{e0061}'), 'a\\x200b@b\\x200f\\x2028\\xe0061')
  const said = { reply: 'a\u009b31m\u202e\u2028\u{e0061}b' }
  assert.doesNotMatch(json(said), /[^\x20-\x7e\n]/)
  assert.deepEqual(JSON.parse(json(said)), said)
})

test('a time is told from now, to two units', () => {
  const now = 1_000_000_000_000
  for (const [distanceMs, text] of [
    [0, 'now'],
    [30_000, 'in 30s'],
    [-90_000, '1m30s ago'],
    [4 * 3_600_000 + 61_000, 'in 4h2m'],
    [-(26 * 3_600_000 + 5), '1d2h ago'],
  ] as const) {
    assert.equal(formatWhen(now + distanceMs, now), text)
  }
})

test('a server is named by host, port or both', () => {
  assert.deepEqual(parseServer('mail.example.org', 'auto', false), {
    host: 'mail.example.org',
    port: 25,
  })
  assert.deepEqual(parseServer('mail.example.org', 'auto', true).port, 587)
  assert.deepEqual(parseServer('mail.example.org', 'implicit', true).port, 465)
  assert.deepEqual(parseServer('[::1]:2525', 'auto', false), { host: '::1', port: 2525 })
  assert.deepEqual(parseServer('::1', 'auto', false), { host: '::1', port: 25 })
  for (const text of ['a:b', 'a:0', 'a:99999', '', 'a b:c:d']) {
    assert.throws(() => parseServer(text, 'auto', false), ExitError, text)
  }
})

test('the exit code is that of the worst news: what waiting will not mend', () => {
  const delivered = { kind: 'delivered', status: '2.0.0', reason: 'ok', how: 'relayed' } as const
  const deferred = { kind: 'deferred', status: '4.2.0', reason: 'later' } as const
  const failed = (status: string) => ({ kind: 'failed', status, reason: 'no' }) as const
  const exit = (...outcomes: Parameters<typeof verdictOf>[0]['outcomes'][number][]) =>
    verdictOf({ outcomes }, ['a', 'b']).exit
  assert.equal(exit(delivered, delivered), 0)
  assert.equal(exit(delivered, deferred), 75)
  assert.equal(exit(deferred, failed('5.1.1')), 67)
  assert.equal(exit(failed('5.7.1'), deferred), 77)
  assert.equal(exit(failed('5.3.4')), 65)
  assert.equal(verdictOf({ outcomes: [] }, []).exit, 75)
  const refused = { kind: 'failed', phase: 'auth', status: '5.7.8', reason: 'no' } as const
  assert.equal(verdictOf({ outcomes: [], trouble: refused }, []).exit, 77)
})

test('init writes names as data, not as code', () => {
  const text = configText({ hostname: "a'b\\", domain: 'example.org', smarthost: 'relay:25' })
  assert.match(text, /hostname: 'a\\'b\\\\',/)
  assert.match(text, /outbound: \{ smarthost: 'relay:25' \}/)
})

test('what is given up at once has no schedule, and its lines stand under each other', () => {
  const way = { domain: 'b.test', port: 25, protocol: 'smtp', hostname: 'a', tls: 'never' } as const
  const ways = [
    { ...way, certificate: 'any', clearInstead: false, trouble: 'failed: 5.1.2 no' },
  ] as const
  const recipient = { address: 'x@b.test', reversePath: '<a@a.test>', ways, givenUp: '5.1.2 no' }
  const at = { at: 0, listener: 'local', ip: '::1', session: [], asked: [] } as const
  const text = showExplained({ ...at, recipients: [recipient], noticesTo: 'a@a.test' })
  assert.match(
    text,
    /\n {2}leaves as {2}<a@a\.test>\n {2}to {9}the MX hosts of b\.test\n {2}trouble {4}failed/,
  )
  assert.match(
    text,
    /\n {2}given up {3}at the first attempt: 5\.1\.2 no\n\nnotices to {2}a@a\.test\n$/,
  )
})
