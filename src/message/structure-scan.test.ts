/** Structures as they are found, whole and cut; sections by their numbers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findPart, sectionSpan } from './section.ts'
import type { Part } from './structure.ts'
import { StructureScanner } from './structure-scan.ts'

function scan(text: string, size = text.length): Part {
  const scanner = new StructureScanner()
  const octets = Buffer.from(text, 'latin1')
  for (let at = 0; at < octets.length; at += Math.max(1, size)) {
    const piece = Buffer.from(octets.subarray(at, at + Math.max(1, size)))
    scanner.push(piece)
    piece.fill('#')
  }
  return scanner.finish()
}

/** The tree in short: types, and the text of each leaf. */
function shown(part: Part, text: string): unknown {
  if (part.kind === 'multi') return [part.subtype, ...part.parts.map(each => shown(each, text))]
  const body = text.slice(part.bodyFrom, part.bodyTo)
  const type = `${part.type}/${part.subtype} ${part.encoding} ${part.lines}`
  return part.message ? [type, shown(part.message.root, text)] : `${type} ${JSON.stringify(body)}`
}

const mixed = [
  'From: A <a@b.example>',
  'Content-Type: multipart/mixed; boundary="b"',
  '',
  'preamble',
  '--b',
  '',
  'one',
  '',
  '--b',
  'Content-Type: message/rfc822',
  '',
  'Subject: inner',
  'To: =?utf-8?Q?J=C3=B6?= <j@b.example>, team: x@y.example, z@y.example;',
  'Content-Type: multipart/signed; boundary=c',
  '',
  '--c',
  'Content-Type: text/html; charset="utf-8"; name*=utf-8\'\'x',
  'Content-Transfer-Encoding: BASE64',
  'Content-Disposition: attachment; filename="a b.html"',
  'Content-ID: <1@b>',
  'Content-Language: en, de',
  '',
  'eA==',
  '--c',
  'Content-Type: application/pgp-signature',
  '',
  'sig',
  '--c--',
  '--b--',
  'epilogue',
].join('\r\n')

test('the structure is found, however the message is cut', () => {
  const expected = [
    'mixed',
    'text/plain 7bit 1 "one\\r\\n"',
    [
      'message/rfc822 7bit 16',
      ['signed', 'text/html base64 0 "eA=="', 'application/pgp-signature 7bit 0 "sig"'],
    ],
  ]
  for (const size of [mixed.length, 1, 7, 64]) {
    assert.deepEqual(shown(scan(mixed, size), mixed), expected, `by ${size}`)
  }
})

test('fields of parts and envelopes of messages within are told', () => {
  const root = scan(mixed)
  const message = findPart(root, [2])
  assert.ok(message?.kind === 'leaf' && message.message)
  const { envelope } = message.message
  assert.equal(envelope.subject, 'inner')
  assert.deepEqual(envelope.to, [
    { name: '=?utf-8?Q?J=C3=B6?=', mailbox: 'j', host: 'b.example' },
    { mailbox: 'team' },
    { mailbox: 'x', host: 'y.example' },
    { mailbox: 'z', host: 'y.example' },
    {},
  ])
  const html = findPart(root, [2, 1])
  assert.ok(html?.kind === 'leaf')
  assert.deepEqual(html.parameters, [
    ['charset', 'utf-8'],
    ['name*', "utf-8''x"],
  ])
  assert.deepEqual(html.disposition, {
    type: 'attachment',
    parameters: [['filename', 'a b.html']],
  })
  assert.deepEqual([html.id, html.languages], ['<1@b>', ['en', 'de']])
})

test('sections lie where RFC 9051 §6.4.5 says', () => {
  const root = scan(mixed)
  const cases = [
    ['', '', mixed],
    ['', 'HEADER', mixed.slice(0, mixed.indexOf('preamble'))],
    ['', 'TEXT', mixed.slice(mixed.indexOf('preamble'))],
    ['1', '', 'one\r\n'],
    ['1', 'MIME', '\r\n'],
    ['1', 'HEADER', undefined],
    ['2', 'MIME', 'Content-Type: message/rfc822\r\n\r\n'],
    ['2', 'HEADER', mixed.slice(mixed.indexOf('Subject: inner'), mixed.indexOf('--c\r\n'))],
    ['2.1', '', 'eA=='],
    ['2.2', '', 'sig'],
    ['2.3', '', undefined],
    ['2.1.1', '', undefined],
    ['3', '', undefined],
  ] as const
  for (const [number, text, expected] of cases) {
    const part = number === '' ? [] : number.split('.').map(Number)
    const span = sectionSpan(root, part, text)
    const found = span && mixed.slice(span.from, span.to)
    assert.equal(found, expected, `${number} ${text}`)
  }
  const plain = scan('A: b\r\n\r\nhello\r\n')
  assert.deepEqual(sectionSpan(plain, [1], ''), { from: 8, to: 15 })
  assert.equal(sectionSpan(plain, [2], ''), undefined)
})

test('what is hostile stays bounded and is a structure all the same', () => {
  for (const text of [
    '',
    'no header at all',
    'Content-Type: multipart/mixed; boundary=x\r\n\r\nnothing divides this',
    'Content-Type: multipart/mixed\r\n\r\n--\r\n',
    `Content-Type: multipart/mixed; boundary=x\r\n\r\n${'--x\r\n\r\n'.repeat(30_000)}`,
    'Content-Type: message/rfc822\r\n\r\n'.repeat(5_000),
  ]) {
    const root = scan(text, 4096)
    assert.equal(root.bodyTo, text.length)
    assert.ok(root.kind === 'leaf' || root.parts.length <= 10_001)
  }
})

test('of parts, and of their headers, without number the first are told, and what holds them', () => {
  const parameters = Array.from({ length: 12_000 }, (_, n) => `;p${n}=x`).join('')
  const part = (fields: string) => `--b\r\n${fields}\r\nx\r\n`
  const inner = (body: string) =>
    `--a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${body}--b--\r\n`
  for (const body of [
    part('').repeat(20_000),
    part(`Content-Type: text/plain${parameters}\r\n`).repeat(60),
  ]) {
    const scanner = new StructureScanner()
    scanner.push(
      Buffer.from(`Content-Type: multipart/mixed; boundary=a\r\n\r\n${inner(body)}--a--\r\n`),
    )
    const root = scanner.finish()
    assert.ok(root.kind === 'multi' && root.parts[0]?.kind === 'multi')
    const { parts } = root.parts[0]
    assert.ok(parts.length > 20 && parts.length <= 5000)
    const held = parts.reduce((sum, each) => sum + each.parameters.length, parts.length)
    assert.ok(held < 400_000, `${held} parts and parameters are held`)
  }
})

test('a header that is longer than is read is read as far, however the message is cut', () => {
  const octets = Buffer.from(`Content-Type: text/plain; name=${'y'.repeat(200_000)}\r\n\r\nx`)
  const scan = (size: number) => {
    const scanner = new StructureScanner()
    for (let at = 0; at < octets.length; at += size) scanner.push(octets.subarray(at, at + size))
    return scanner.finish()
  }
  assert.deepEqual(scan(1000), scan(octets.length))
})

test('only message/rfc822 and message/global are told with what is in them', () => {
  for (const [subtype, opened] of [
    ['rfc822', true],
    ['global', true],
    ['news', false],
    ['partial', false],
  ] as const) {
    const part = scan(`Content-Type: message/${subtype}\r\n\r\nSubject: inner\r\n\r\nwords\r\n`)
    assert.ok(part.kind === 'leaf')
    assert.equal(part.message !== undefined, opened, subtype)
    assert.equal(findPart(part, [1, 1]) !== undefined, opened, subtype)
  }
})
