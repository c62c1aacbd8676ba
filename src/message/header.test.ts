import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type HeaderEnd, scanHeader } from './header.ts'

function scan(text: string, limits = {}) {
  return scanHeader(Buffer.from(text, 'latin1'), limits)
}

const rows: readonly [string, string, readonly [string, string][], HeaderEnd, string][] = [
  [
    'an ordinary message',
    'A: 1\r\nB: 2\r\n\r\nbody',
    [
      ['a', '1'],
      ['b', '2'],
    ],
    'blank line',
    'body',
  ],
  [
    'LF line ends',
    'A: 1\nB: 2\n\nbody',
    [
      ['a', '1'],
      ['b', '2'],
    ],
    'blank line',
    'body',
  ],
  ['folded values', 'A: 1\r\n 2\r\n\t3\r\n\r\n', [['a', '1 2\t3']], 'blank line', ''],
  ['an empty first line', '\r\nbody', [], 'blank line', 'body'],
  ['an empty message', '', [], 'end', ''],
  ['only a header', 'A: 1\r\n', [['a', '1']], 'end', ''],
  ['a header without a last line end', 'A: 1', [['a', '1']], 'end', ''],
  [
    'an empty value',
    'A:\r\nB: \r\n\r\n',
    [
      ['a', ''],
      ['b', ''],
    ],
    'blank line',
    '',
  ],
  ['white space before the colon', 'Subject \t: x\r\n\r\n', [['subject', 'x']], 'blank line', ''],
  [
    'a line that is no field',
    'A: 1\r\nhello you\r\nB: 2',
    [['a', '1']],
    'junk',
    'hello you\r\nB: 2',
  ],
  ['a continuation of nothing', ' x\r\nA: 1', [], 'junk', ' x\r\nA: 1'],
  ['a line that begins with a colon', ': x\r\n\r\n', [], 'junk', ': x\r\n\r\n'],
  ['an 8-bit name', 'S\xfcbject: x\r\n\r\n', [], 'junk', 'S\xfcbject: x\r\n\r\n'],
  ['an mbox separator', 'From joe Thu\r\nA: 1\r\n\r\n', [['a', '1']], 'blank line', ''],
  ['a From field before its colon', 'From : joe\r\n\r\n', [['from', 'joe']], 'blank line', ''],
  [
    'a line of white space, which folds',
    'A: 1\r\n \r\nB: 2\r\n\r\n',
    [
      ['a', '1'],
      ['b', '2'],
    ],
    'blank line',
    '',
  ],
  ['a bare CR, which ends nothing', 'A: 1\rB: 2\r\n\r\n', [['a', '1 B: 2']], 'blank line', ''],
  ['a NUL, which becomes a space', 'A: 1\0\x002\r\n\r\n', [['a', '1  2']], 'blank line', ''],
  ['UTF-8', 'A: \xc3\xa9\r\n\r\n', [['a', '\u00e9']], 'blank line', ''],
  ['8-bit text that is no UTF-8', 'A: \xe9\r\n\r\n', [['a', '\u00e9']], 'blank line', ''],
]

for (const [name, text, fields, end, body] of rows) {
  test(`the header of ${name}`, () => {
    const header = scan(text)
    assert.deepEqual(
      header.fields.map(field => [field.name, header.text(field)]),
      fields,
    )
    assert.equal(header.end, end)
    assert.equal(text.slice(header.bodyFrom), body)
  })
}

test('fields are found by name in any case, first to last', () => {
  const header = scan('Received: a\r\nTo: x\r\nreceived: b\r\n\r\n')
  assert.equal(header.count('RECEIVED'), 2)
  assert.equal(header.first('Received'), 'a')
  assert.equal(header.has('to'), true)
  assert.equal(header.has('cc'), false)
  assert.equal(header.first('cc'), undefined)
  assert.deepEqual(
    header.all('received').map(field => header.text(field)),
    ['a', 'b'],
  )
})

test('raw octets of a field include its folds and line end', () => {
  const header = scan('A: 1\r\nB: 2\r\n 3\r\nC: 4\r\n\r\n')
  assert.equal(Buffer.from(header.raw(header.fields[1]!)).toString(), 'B: 2\r\n 3\r\n')
})

test('a prefix that ends within the header says so', () => {
  assert.equal(scan('A: 1\r\nB: 2', { partial: true }).end, 'cut')
  assert.equal(scan('A: 1\r\nB', { partial: true }).end, 'cut')
  assert.equal(scan('A: 1\r\n\r\nbo', { partial: true }).end, 'blank line')
})

test('fields and octets are bounded', () => {
  const many = scan('A: 1\r\n'.repeat(100), { fieldsMax: 10 })
  assert.equal(many.fields.length, 10)
  assert.equal(many.end, 'limit')
  assert.equal(scan('A: 1\r\n'.repeat(100), { sizeMaxBytes: 60 }).end, 'limit')
})

test('a view into a larger buffer is scanned in its own bounds', () => {
  const whole = Buffer.from('XXXXA: 1\r\n\r\nbodyYYYY')
  const header = scanHeader(new Uint8Array(whole.buffer, whole.byteOffset + 4, 14))
  assert.equal(header.first('a'), '1')
  assert.equal(header.bodyFrom, 8)
})

test('hostile megabytes are scanned quickly', () => {
  const started = process.cpuUsage()
  for (const text of [
    'A:\r\n'.repeat(250_000),
    `A:${'\r\n '.repeat(330_000)}`,
    'a'.repeat(1_000_000),
    'a '.repeat(500_000),
    `A:${'\r'.repeat(1_000_000)}`,
  ]) {
    const header = scan(text)
    for (const field of header.fields) header.text(field)
  }
  assert.ok(process.cpuUsage(started).user < 6000_000)
})
