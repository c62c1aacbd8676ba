import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Entity } from './entity.ts'
import { type Gap, Walker } from './walker.ts'

/** What a walk sees, in short: `2 text/plain "content"`, `< 0 preamble "x"`; and all its octets. */
function walk(text: string, cut = 1e9): { seen: string[]; octets: string } {
  const seen: string[] = []
  let all = ''
  let content = ''
  const pass = (octets: Uint8Array) => (all += Buffer.from(octets).toString('latin1'))
  const walker = new Walker({
    begin: () => {},
    headerLine: pass,
    headerEnd: (entity, blank) => {
      pass(blank)
      if (entity.shape !== 'leaf') seen.push(`${entity.index} ${entity.type} ${entity.shape}`)
      content = ''
    },
    content: (octets: Uint8Array, entity: Entity, gap: Gap) => {
      const piece = Buffer.from(octets).toString('latin1')
      all += piece
      content += piece
      if (gap !== undefined && content === piece) seen.push(`${entity.index} ${gap}`)
    },
    delimiter: octets => {
      pass(octets)
      content = ''
    },
    end: entity => {
      if (entity.shape === 'leaf' || entity.shape === 'sealed') {
        seen.push(`${entity.index} ${entity.type} ${JSON.stringify(content)}`)
      }
      content = ''
    },
  })
  const octets = Buffer.from(text, 'latin1')
  for (let at = 0; at < octets.length; at += cut) walker.push(octets.subarray(at, at + cut))
  walker.end()
  return { seen, octets: all }
}

const multipart = (boundary: string, subtype = 'mixed') =>
  `Content-Type: multipart/${subtype}; boundary=${boundary}\r\n\r\n`

const rows: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'a message without MIME',
    'A: 1\r\n\r\nhello\r\n--x\r\n',
    ['0 text/plain "hello\\r\\n--x\\r\\n"'],
  ],
  ['an empty message', '', ['0 text/plain ""']],
  ['a header alone', 'A: 1', ['0 text/plain ""']],
  ['a body without a header', 'hello\r\nyou', ['0 text/plain "hello\\r\\nyou"']],
  [
    'two parts between preamble and epilogue',
    `${multipart('b')}pre\r\n--b\r\n\r\none\r\n--b \t\r\nContent-Type: Image/PNG\r\n\r\ntwo\n\r\n--b--\r\nepi\r\n`,
    [
      '0 multipart/mixed multipart',
      '0 preamble',
      '1 text/plain "one"',
      '2 image/png "two\\n"',
      '0 epilogue',
    ],
  ],
  [
    'line ends of LF alone',
    'Content-Type: multipart/mixed;\n boundary="b"\n\n--b\n\none\n--b--\n',
    ['0 multipart/mixed multipart', '1 text/plain "one"'],
  ],
  [
    'an inner boundary that the outer one begins with',
    `${multipart('abc')}--abc\r\n${multipart('ab')}--ab\r\n\r\none\r\n--abc\r\n\r\ntwo\r\n--abc--\r\n`,
    [
      '0 multipart/mixed multipart',
      '1 multipart/mixed multipart',
      '2 text/plain "one"',
      '3 text/plain "two"',
    ],
  ],
  [
    'an inner boundary that begins with the outer one',
    `${multipart('ab')}--ab\r\n${multipart('abc')}--abc\r\n\r\none\r\n--abc--\r\n--ab\r\n\r\ntwo\r\n--ab--\r\n`,
    [
      '0 multipart/mixed multipart',
      '1 multipart/mixed multipart',
      '2 text/plain "one"',
      '3 text/plain "two"',
    ],
  ],
  [
    'a boundary that looks like the end of another',
    `${multipart('"a--"')}--a--\r\n${multipart('a')}--a\r\n\r\none\r\n--a--\r\n\r\ntwo\r\n--a----\r\n`,
    [
      '0 multipart/mixed multipart',
      '1 multipart/mixed multipart',
      '2 text/plain "one"',
      '3 text/plain "two"',
    ],
  ],
  [
    'lines that are nearly delimiters',
    `${multipart('b')}--b\r\n\r\n--bb\r\n-- b\r\n--b-\r\n-b\r\n x--b\r\n--b--\r\n`,
    ['0 multipart/mixed multipart', '1 text/plain "--bb\\r\\n-- b\\r\\n--b-\\r\\n-b\\r\\n x--b"'],
  ],
  [
    'a part whose header a delimiter ends',
    `${multipart('b')}--b\r\nContent-Type: text/html\r\n--b--`,
    ['0 multipart/mixed multipart', '1 text/html ""'],
  ],
  [
    'an inner multipart that is never closed',
    `${multipart('a')}--a\r\n${multipart('b')}--b\r\n\r\none\r\n--a--\r\n--b\r\n`,
    [
      '0 multipart/mixed multipart',
      '1 multipart/mixed multipart',
      '2 text/plain "one"',
      '0 epilogue',
    ],
  ],
  [
    'a closed boundary that comes again in the epilogue',
    `${multipart('a')}--a\r\n\r\none\r\n--a--\r\n--a\r\n\r\nno part\r\n`,
    ['0 multipart/mixed multipart', '1 text/plain "one"', '0 epilogue'],
  ],
  [
    'a digest, whose parts are messages',
    `${multipart('a', 'digest')}--a\r\n\r\nSubject: in\r\n\r\none\r\n--a--\r\n`,
    ['0 multipart/digest multipart', '1 message/rfc822 message', '2 text/plain "one"'],
  ],
  [
    'what is signed, encrypted, partial or without a boundary',
    [
      multipart('a'),
      `--a\r\n${multipart('s', 'signed')}--s\r\n\r\none\r\n--s--\r\n`,
      '--a\r\nContent-Type: message/partial; id=1\r\n\r\nA: 1\r\n\r\n\r\n',
      '--a\r\nContent-Type: multipart/alternative\r\n\r\ntext\r\n--a--\r\n',
    ].join(''),
    [
      '0 multipart/mixed multipart',
      '1 multipart/signed sealed',
      '1 multipart/signed "--s\\r\\n\\r\\none\\r\\n--s--"',
      '2 message/partial sealed',
      '2 message/partial "A: 1\\r\\n\\r\\n"',
      '3 multipart/alternative sealed',
      '3 multipart/alternative "text"',
    ],
  ],
  [
    'a message that says it is encoded, which is a leaf',
    'Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQTog',
    ['0 message/rfc822 "QTog"'],
  ],
]

for (const [name, text, wanted] of rows) {
  test(`the parts of ${name}`, () => {
    for (const cut of [1e9, 1, 2, 3, 7]) {
      assert.deepEqual(walk(text, cut).seen, wanted, `cut at ${cut}`)
      assert.equal(walk(text, cut).octets, text)
    }
  })
}

test('whatever the octets, a walk passes on all of them, and sees the same however they are cut', () => {
  const piece = fc.constantFrom(
    '\r\n',
    '\n',
    '\r',
    '--',
    'a',
    'ab',
    '--a',
    '--a--',
    '\r\n--ab\r\n',
    ' ',
    ':',
    'A: ',
    'Content-Type: ',
    'multipart/mixed;',
    ' boundary=a',
    ' boundary="ab"',
    multipart('a'),
    multipart('ab'),
    'Content-Type: message/rfc822\r\n\r\n',
    'x'.repeat(300),
    'y'.repeat(5000),
  ) // prettier-ignore
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.integer({ min: 1, max: 50 }), (all, cut) => {
      const text = all.join('')
      const whole = walk(text)
      assert.equal(whole.octets, text)
      assert.deepEqual(walk(text, cut), whole)
    }),
    { numRuns: 500 },
  )
})

test('hostile megabytes are walked quickly, and never deep', () => {
  const nested = Array.from({ length: 5_000 }, (_, n) => `${multipart(`b${n}`)}--b${n}\r\n`)
  const started = process.cpuUsage()
  for (const text of [
    nested.join(''),
    'Content-Type: message/rfc822\r\n\r\n'.repeat(8_000),
    multipart('b') + '--b\r\n'.repeat(50_000),
    multipart('b') + '\n--'.repeat(80_000),
    multipart('b') + '--x\r\n'.repeat(50_000),
    `Content-Type: ${';'.repeat(300_000)}`,
    `${`Content-Type: a/b;${' '.repeat(15_000)}x=${' '.repeat(900)}y\r\n`.repeat(20)}\r\n`,
    `${multipart('b')}--b\r\nContent-Type: text/plain;${'a ;'.repeat(5000)}\r\n\r\n`.repeat(20),
    'x'.repeat(300_000),
  ]) {
    walk(text, 65_536)
  }
  assert.ok(process.cpuUsage(started).user < 5000_000, `${process.cpuUsage(started).user}`)
})
