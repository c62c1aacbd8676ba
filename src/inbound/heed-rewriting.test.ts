/** The fields and the reverse-path of a submitted message under rules. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scanHeader } from '../message/header.ts'
import { rewritingOf } from '../transit/rewriting.ts'
import { heedRewriting } from './heed-rewriting.ts'

const written = {
  sender: {},
  recipient: {},
  canonical: { 'ann@old.example': 'ann@new.example' },
  masquerade: ['example.org'],
  exceptions: [],
  parts: ['envelope', 'header'],
} as const

function heeded(
  lines: readonly string[],
  parts: readonly ('envelope' | 'header')[] = written.parts,
) {
  const rules = rewritingOf({ ...written, parts })
  assert.ok(rules)
  const header = scanHeader(Buffer.from([...lines, '', 'body', ''].join('\r\n')))
  const reversePath = { local: 'joe', domain: 'ws1.example.org' }
  const envelope = {
    sender: { reversePath, body: '7BIT', utf8: false },
    recipients: [],
  } as const
  const done = heedRewriting(envelope, header, rules)
  return {
    from: done.envelope.sender.reversePath?.domain,
    gone: (done.written?.omitted ?? []).map(field => field.name),
    fields: (done.written?.front ?? []).join(''),
    header: done.written?.header,
    record: done.envelope.sender.rewritten,
  }
}

test('fields that change are written anew, the others stay as they are', () => {
  const done = heeded([
    'From: =?utf-8?Q?J=C3=B6?= <joe@ws1.example.org>',
    'Subject: joe@ws1.example.org',
    'To: "Doe, Ann" <ann@old.example>, friends: bob@b.ws2.example.org, eve@x.example;',
    'Cc: eve@x.example (a  comment)',
    'Message-ID: <1@ws1.example.org>',
  ])
  assert.equal(done.from, 'example.org')
  assert.deepEqual(done.record, { reversePath: 'joe@ws1.example.org', fields: ['from', 'to'] })
  assert.deepEqual(done.gone, ['from', 'to'])
  assert.equal(
    done.fields,
    'From: =?UTF-8?B?SsO2?= <joe@example.org>\r\n' +
      'To: "Doe, Ann" <ann@new.example>, friends: bob@example.org, eve@x.example;\r\n',
  )
  assert.equal(done.header?.first('from'), '=?UTF-8?B?SsO2?= <joe@example.org>')
  assert.equal(done.header?.count('to'), 1)
  assert.equal(done.header?.first('message-id'), '<1@ws1.example.org>')
})

test('a field that nobody understands is left alone, and so is one that needs nothing', () => {
  const done = heeded([
    'From: joe@ws1.example.org <<',
    'To: undisclosed-recipients:;',
    'Cc: joe@example.org',
  ])
  assert.deepEqual([done.gone, done.fields, done.header], [[], '', undefined])
})

test('parts that are not to be rewritten are not', () => {
  const lines = ['From: joe@ws1.example.org']
  assert.deepEqual(heeded(lines, ['envelope']).gone, [])
  assert.equal(heeded(lines, ['header']).from, 'ws1.example.org')
  assert.deepEqual(heeded(lines, ['header']).record, { fields: ['from'] })
})

test('every field of the resent kind is known, and each of several', () => {
  const lines = ['Resent-From', 'Resent-Sender', 'Resent-To', 'Resent-Cc', 'Reply-To', 'Sender']
  const done = heeded([...lines, 'To', 'To'].map(name => `${name}: joe@ws1.example.org`))
  assert.equal(done.gone.length, 8)
  assert.doesNotMatch(done.fields, /ws1/)
})
