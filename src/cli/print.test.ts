/** What commands print: aligned, and never a peer's control characters. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configText } from './command/init.ts'
import { CommandError } from './exit.ts'
import { facts, formatWhen, printable, table } from './print.ts'
import { parseServer } from './server-address.ts'
import { verdictOf } from './submit.ts'

test('columns are as wide as their widest cell', () => {
  assert.equal(
    table(
      ['A', 'BB'],
      [
        ['xxx', 'y'],
        ['', 'zzz'],
      ],
    ),
    'A    BB\nxxx  y\n     zzz\n',
  )
  assert.equal(table(['A'], []), '')
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
    assert.throws(() => parseServer(text, 'auto', false), CommandError, text)
  }
})

test('the exit code is that of the worst news: what waiting will not mend', () => {
  const delivered = { kind: 'delivered', status: '2.0.0', reason: 'ok', how: 'relayed' } as const
  const deferred = { kind: 'deferred', status: '4.2.0', reason: 'later' } as const
  const failed = (status: string) => ({ kind: 'failed', status, reason: 'no' }) as const
  const exit = (...outcomes: Parameters<typeof verdictOf>[0]['outcomes'][number][]) =>
    verdictOf({ outcomes, dialogue: '' }, ['a', 'b']).exit
  assert.equal(exit(delivered, delivered), 0)
  assert.equal(exit(delivered, deferred), 75)
  assert.equal(exit(deferred, failed('5.1.1')), 67)
  assert.equal(exit(failed('5.7.1'), deferred), 77)
  assert.equal(exit(failed('5.3.4')), 65)
  assert.equal(verdictOf({ outcomes: [], dialogue: '' }, []).exit, 75)
  const refused = { kind: 'failed', phase: 'auth', status: '5.7.8', reason: 'no' } as const
  assert.equal(verdictOf({ outcomes: [], dialogue: '', trouble: refused }, []).exit, 77)
})

test('init writes names as data, not as code', () => {
  const text = configText({ hostname: "a'b\\", domain: 'example.org', smarthost: 'relay:25' })
  assert.match(text, /hostname: 'a\\'b\\\\',/)
  assert.match(text, /outbound: \{ smarthost: 'relay:25' \}/)
})
