/** Octets, lines, dots, base64 and xtext: the small things every protocol here stands on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { DotScanner, dotStuffing } from './dot.ts'
import { LineReader } from './line.ts'
import { Octets } from './octets.ts'
import { decodeXtext, encodeXtext } from './xtext.ts'

/** Scans pieces with one scanner: the content, and how many octets were behind the end (or -1). */
function scan(pieces: readonly Buffer[], normalize: boolean) {
  const taken: Buffer[] = []
  const scanner = new DotScanner((octets, from, to) => {
    taken.push(Buffer.from(octets.subarray(from, to)))
  }, normalize)
  let behind = -1
  for (const piece of pieces) {
    if (behind >= 0) behind += piece.length
    else {
      const end = scanner.scan(piece, 0, piece.length)
      if (end >= 0) behind = piece.length - end
    }
  }
  return { content: Buffer.concat(taken).toString('latin1'), behind, scanner }
}

test('of all line ends around a dot only CRLF.CRLF ends a message, however it is cut', () => {
  const ends = ['\r', '\n', '\r\n', '\r\r\n', '\0', '']
  for (const before of ends) {
    for (const after of ends) {
      const text = Buffer.from(`text${before}.${after}more`)
      const expected = text.includes('\r\n.\r\n') ? 'more'.length : -1
      for (const normalize of [true, false]) {
        const whole = scan([text], normalize)
        assert.equal(whole.behind, expected, JSON.stringify(text.toString()))
        for (let first = 0; first <= text.length; first++) {
          for (let second = first; second <= text.length; second++) {
            const pieces = [
              text.subarray(0, first),
              text.subarray(first, second),
              text.subarray(second),
            ]
            const cut = scan(pieces, normalize)
            assert.equal(cut.behind, expected, JSON.stringify(pieces.map(String)))
            assert.equal(cut.content, whole.content)
            assert.equal(cut.scanner.bareLineEnds, whole.scanner.bareLineEnds)
          }
        }
      }
    }
  }
})

test('the scanner counts lone line ends and NUL', () => {
  const cases: readonly (readonly [string, number, boolean])[] = [
    ['a\r\n.\r\n', 0, false],
    ['a\nb\r\n.\r\n', 1, false],
    ['a\rb\nc\r\n.\r\n', 2, false],
    ['a\r\r\n.\r\n', 1, false],
    ['a\0b\r\n.\r\n', 0, true],
    ['a\r\n.\r\nb\n\0', 0, false],
  ]
  for (const [text, bare, nul] of cases) {
    const { scanner } = scan([Buffer.from(text)], false)
    assert.equal(scanner.bareLineEnds, bare, JSON.stringify(text))
    assert.equal(scanner.nul, nul, JSON.stringify(text))
  }
})

/** Content as RFC 5321 §4.5.2 has it, by regular expressions over the whole: slow and plain to see. */
function plainlyRead(wire: string) {
  const lines = `\r\n${wire}`
  const end = lines.indexOf('\r\n.\r\n')
  const content = lines
    .slice(0, end + 2)
    .replaceAll('\r\n.', '\r\n')
    .slice(2)
  const lone = /\r(?!\n)|(?<!\r)\n/g
  const bareLineEnds = content.match(lone)?.length ?? 0
  return { content, normal: content.replace(lone, '\r\n'), bareLineEnds, end: end + 3 }
}

test('octets of every kind, in lines of any length and at any place in memory, are read as they stand', () => {
  const part = fc.oneof(
    fc.constantFrom('\r\n', '\r\n.', '\r', '\n', '.', '\0', '\t', '\r\n..', '\n.\r\n', '\r.\r\n'),
    fc.integer({ min: 0, max: 255 }).map(octet => String.fromCharCode(octet)),
    fc.tuple(fc.integer({ min: 14, max: 255 }), fc.nat(90)).map(([octet, length]) => {
      return String.fromCharCode(octet).repeat(length)
    }),
  )
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 24 }).map(parts => `${parts.join('')}\r\n.\r\nRSET`),
      fc.nat(7),
      fc.array(fc.nat(400), { maxLength: 5 }),
      (wire, shift, cuts) => {
        const memory = Buffer.alloc(shift + wire.length + 7, '\n')
        memory.write(wire, shift, 'latin1')
        const edges = [0, ...cuts.map(cut => Math.min(cut, wire.length)).sort((a, b) => a - b)]
        const pieces = edges.map((edge, i) =>
          memory.subarray(shift + edge, shift + (edges[i + 1] ?? wire.length)),
        )
        const expected = plainlyRead(wire)
        for (const normalize of [false, true]) {
          const { content, behind, scanner } = scan(pieces, normalize)
          assert.equal(behind, wire.length - expected.end)
          assert.equal(content, normalize ? expected.normal : expected.content)
          assert.equal(scanner.bareLineEnds, expected.bareLineEnds)
          assert.equal(scanner.nul, content.includes('\0'))
        }
      },
    ),
    { numRuns: 2000 },
  )
})

const mailish = fc
  .array(fc.constantFrom('\r', '\n', '\r\n', '.', '..', 'a', '\0', 'text', '\t', 'x'.repeat(70)), {
    maxLength: 30,
  })
  .map(parts => Buffer.from(parts.join('')))

test('what is stuffed re-reads as exactly one message, whatever it was and however it is cut', () => {
  fc.assert(
    fc.property(mailish, fc.array(fc.nat(40), { maxLength: 6 }), (content, cuts) => {
      const transform = dotStuffing()
      const edges = [0, ...cuts.map(cut => Math.min(cut, content.length)).sort((a, b) => a - b)]
      const sent = edges.map((edge, i) =>
        transform.push(content.subarray(edge, edges[i + 1] ?? content.length)),
      )
      sent.push(transform.end())
      const wire = Buffer.concat(sent)
      const { content: read, behind, scanner } = scan([wire], false)
      assert.equal(behind, 0)
      assert.equal(scanner.bareLineEnds, 0)
      const normal = content.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n')
      assert.equal(read, normal === '' || normal.endsWith('\r\n') ? normal : `${normal}\r\n`)
    }),
    { numRuns: 1500 },
  )
})

test('clean content is stuffed without a copy', () => {
  const content = Buffer.from('a\r\nb\r\n')
  const transform = dotStuffing()
  assert.equal(transform.push(content), content)
  assert.equal(Buffer.from(transform.end()).toString(), '.\r\n')
})

test('lines end with CRLF only, or with LF too where that is allowed', () => {
  const read = (text: string, lfEnds: boolean) => {
    const input = new Octets()
    const reader = new LineReader(input, lfEnds)
    const lines: string[] = []
    for (const octet of Buffer.from(text, 'latin1')) {
      input.push(Buffer.from([octet]))
      const state = reader.next(10)
      if (state !== 'more') lines.push(state === 'line' ? reader.text : state)
    }
    return lines
  }
  assert.deepEqual(read('a\r\nb\nc\r\n\r\n', false), ['a', 'b\nc', ''])
  assert.deepEqual(read('a\r\nb\nc\r\n\n', true), ['a', 'b', 'c', ''])
  assert.deepEqual(read('12345678\r\n123456789\r\nok\r\n', false), ['12345678', 'overlong', 'ok'])
  assert.deepEqual(read(`${'x'.repeat(100)}\r${'y'.repeat(50)}\r\nok\r\n`, false), [
    'overlong',
    'ok',
  ])
})

test('an endless line is not kept', () => {
  const input = new Octets()
  const reader = new LineReader(input)
  for (let i = 0; i < 200; i++) {
    input.push(Buffer.alloc(10_000, 'x'))
    assert.equal(reader.next(512), 'more')
    assert.ok(input.length <= 1)
  }
  assert.equal(reader.droppedOctets, 2_000_000)
})

test('a consumed read is a view, and a remainder is kept in order', () => {
  const input = new Octets()
  const first = Buffer.from('abc')
  input.push(first)
  assert.equal(input.buffer.buffer, first.buffer)
  input.consume(1)
  for (const octet of Buffer.from('defgh')) input.push(Buffer.from([octet]))
  assert.equal(input.buffer.toString('latin1', input.from, input.to), 'bcdefgh')
  input.consume(7)
  assert.equal(input.length, 0)
})

test('a remainder of what was lent is kept as it was', () => {
  const input = new Octets()
  const lent = Buffer.from('abcd')
  input.push(lent)
  input.consume(2)
  input.keep()
  lent.fill('#')
  input.push(Buffer.from('ef'))
  assert.equal(input.buffer.toString('latin1', input.from, input.to), 'cdef')
})

test('base64 is strict', () => {
  assert.deepEqual(Buffer.from(decodeBase64('AGE=') ?? []), Buffer.from('\0a'))
  assert.equal(decodeBase64('')?.length, 0)
  for (const bad of ['AGE', 'AG E=', 'AGE==', '=', '====', 'A===', 'AG=E', 'A-_=', 'AGE=\n']) {
    assert.equal(decodeBase64(bad), undefined, bad)
  }
  assert.equal(encodeBase64(Buffer.from('\0a')), 'AGE=')
})

test('xtext is armoured and read back', () => {
  assert.equal(decodeXtext('a+2Bb+3D'), 'a+b=')
  for (const bad of ['+', '+2', '+2b', '+ZZ', 'a=b', 'a b', '\x7f', 'é']) {
    assert.equal(decodeXtext(bad), undefined, bad)
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii' }), text => {
      assert.equal(decodeXtext(encodeXtext(text)), text)
    }),
    { numRuns: 300 },
  )
})

test('a reader who wants every octet gets lone line ends as they are, but before a dot', () => {
  for (const [content, wire] of [
    ['', '.\r\n'],
    ['a\nb\rc\r\r\nd', 'a\nb\rc\r\r\nd\r\n.\r\n'],
    ['a\n', 'a\n\r\n.\r\n'],
    ['a\r', 'a\r\r\n.\r\n'],
    ['.a\r\n.', '..a\r\n..\r\n.\r\n'],
    ['a\n.\n', 'a\r\n..\n\r\n.\r\n'],
    ['a\n\n.b\r.\r\n', 'a\n\r\n..b\r\n..\r\n.\r\n'],
    ['\r\n\n\r\n', '\r\n\n\r\n.\r\n'],
  ] as const) {
    for (const size of [1, 2, 3, 100]) {
      const stuffing = dotStuffing('keep')
      const pieces: Uint8Array[] = []
      for (let at = 0; at < content.length; at += size) {
        pieces.push(stuffing.push(Buffer.from(content.slice(at, at + size))))
      }
      const written = Buffer.concat([...pieces, stuffing.end()]).toString()
      assert.equal(written, wire, `${JSON.stringify(content)} by ${size}`)
    }
  }
})
