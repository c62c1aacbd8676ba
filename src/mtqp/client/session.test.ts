/** The MTQP client against servers that do as they like. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sink } from '../../wire/effect.ts'
import {
  type ClientAnswer,
  type ClientQuestion,
  ClientSession,
  type TrackResult,
} from './session.ts'

const tls = { protocol: 'TLSv1.3', cipher: 'x', verified: false }

/** What the client says to these words of a server (TLS and END happen), and what came of it. */
function play(words: readonly string[], startTls = true) {
  const said: string[] = []
  const results: TrackResult[] = []
  const sink: Sink<ClientQuestion, ClientAnswer> = {
    send: output => void said.push(String(output)),
    stream() {},
    ask({ result }) {
      results.push(result)
      return { kind: 'noted' }
    },
    content() {},
    compress() {},
    handOver() {},
    secure: () => void said.push('[tls]'),
    close: () => void said.push('[closed]'),
  }
  const secret = Buffer.from('secret')
  const settings = { host: 'mx.example', envelopeId: '1 @x', secret, startTls }
  const session = new ClientSession(sink, settings)
  session.start()
  for (const word of words) {
    if (word === 'TLS') session.secured(tls)
    else if (word === 'END') session.end()
    else for (const octet of Buffer.from(word)) session.receive(Buffer.of(octet))
  }
  assert.ok(results.length < 2, 'one result')
  return { said: said.join(''), result: results[0] }
}

const ASK = 'TRACK 1+20@x c2VjcmV0\r\n'
const greeting = '+OK+/MTQP ready\r\nSTARTTLS\r\n.\r\n'

test('TLS is taken where it is offered, and an answer has its dots back', () => {
  const answer = '+OK+ here\r\n..dot\r\n\r\nx\r\n.\r\n'
  const { said, result } = play([greeting, '+OK go\r\n', 'TLS', '+OK/MTQP ready\r\n', answer])
  assert.equal(said, `STARTTLS mx.example\r\n[tls]${ASK}QUIT\r\n[closed]`)
  assert.deepEqual(result, { kind: 'found', part: '.dot\r\n\r\nx\r\n' })
})

test('it is not where it is not wanted, or not there', () => {
  assert.equal(play([greeting], false).said, ASK)
  assert.equal(play(['+OK/MTQP ready\r\n']).said, ASK)
})

for (const { name, words, kind } of [
  { name: 'a refusal at the greeting', words: ['-TEMP/MTQP/admin no\r\n'], kind: 'refused' },
  { name: 'a refusal of TLS', words: [greeting, '-BAD/bad-fqdn no\r\n'], kind: 'refused' },
  { name: 'a message not known', words: ['+OK\r\n', '-ERR/noinfo no\r\n'], kind: 'refused' },
  { name: 'clear text behind STARTTLS', words: [greeting, '+OK go\r\n+OK x\r\n'], kind: 'lost' },
  { name: 'an end too early', words: ['+OK\r\n', '+OK+ here\r\nx\r\n', 'END'], kind: 'lost' },
  {
    name: 'a line without end',
    words: ['+OK\r\n', `+OK+\r\n${'x'.repeat(2_000)}\r\n`],
    kind: 'lost',
  },
] as const) {
  test(`${name} is told as ${kind}`, () => assert.equal(play(words).result?.kind, kind))
}
