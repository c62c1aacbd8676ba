/** Paths, domains, literals, parameters and replies: the grammar that both sides share. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatPath } from '../mail/address.ts'
import { parseLiteral } from './domain.ts'
import { parseParameters } from './parameter.ts'
import { parseForwardPath, parseMailbox, parseReversePath } from './path.ts'
import { foldText } from './replies.ts'
import { formatReply, parseReply, ReplyParser } from './reply.ts'

test('paths are read to their addresses', () => {
  const good: Readonly<Record<string, string>> = {
    '<a@b>': '<a@b>',
    '<A.b+c@Example.ORG>': '<A.b+c@example.org>',
    '<"a"@b>': '<a@b>',
    '<"a b"@b>': '<"a b"@b>',
    '<""@b>': '<""@b>',
    '<"\\a\\""@b>': '<"a\\""@b>',
    '<@a,@b:c@d>': '<c@d>',
    '<a@[1.2.3.4]>': '<a@[1.2.3.4]>',
    '<a@[IPv6:::1]>': '<a@[ipv6:::1]>',
    '<a%b@c>': '<a%b@c>',
    '<a!b@c>': '<a!b@c>',
    '<ü@ü.example>': '<ü@ü.example>',
    '<a@1.2.3>': '<a@1.2.3>',
  }
  for (const [text, expected] of Object.entries(good)) {
    const path = parseReversePath(text)
    assert.ok(path.ok, text)
    assert.equal(formatPath(path.address), expected)
    assert.equal(path.next, text.length)
  }
})

test('what is no path is refused', () => {
  const bad = [
    ...[
      '',
      'a@b',
      '<a>',
      '<a@>',
      '<@b>',
      '<a@b',
      '<a@b c>',
      '<a @b>',
      '<.a@b>',
      '<a.@b>',
      '<a..b@c>',
    ],
    ...[
      '<a@b.>',
      '<a@.b>',
      '<a@-b>',
      '<a@b->',
      '<a@b_c>',
      '<"a@b>',
      '<"a"b@c>',
      '<a"b"@c>',
      '<"\\"@b>',
    ],
    ...[
      '<"\u0001"@b>',
      '<a\u0001@b>',
      '<a(c)@b>',
      '<a@b(c)>',
      '<a@[1.2.3]>',
      '<a@[1.2.3.4>',
      '<a@[]>',
    ],
    ...['<@a:>', '<@a,b@c>', '<@:a@b>', '<@a@b:c@d>', '< a@b>', '<<a@b>>', '<a@b\0>', '<a,b@c>'],
  ]
  for (const text of bad) assert.equal(parseReversePath(text).ok, false, text)
  assert.equal(parseForwardPath('<>').ok, false)
  assert.equal(parseMailbox('a@b>'), undefined)
  assert.equal(parseMailbox('@x:a@b'), undefined)
})

test('address literals follow the grammar of RFC 5321 §4.1.3', () => {
  const good = [
    ...[
      '1:2:3:4:5:6:7:8',
      '::',
      '::1',
      '1::',
      '1:2:3:4:5:6::',
      '::3:4:5:6:7:8',
      '1::8',
      '::1.2.3.4',
    ],
    ...['1:2:3:4:5:6:1.2.3.4', '1:2::4:1.2.3.4', 'ffff:ABCD::'],
  ]
  const bad = [
    ...[
      '',
      ':',
      ':::',
      '1',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7::',
      '::2:3:4:5:6:7:8',
    ],
    ...[
      '1::2::3',
      '12345::',
      'g::',
      '1.2.3.4',
      '1.2.3.4::',
      '::1.2.3',
      '::1.2.3.256',
      '1:2:3:4:5::1.2.3.4',
    ],
    ...['::1%eth0', ':1', '1:', '1:::2'],
  ]
  for (const text of good) assert.ok(parseLiteral(`[IPv6:${text}]`, 0), text)
  for (const text of bad) assert.equal(parseLiteral(`[IPv6:${text}]`, 0), undefined, text)
})

test('any path that is taken is taken again as it is formatted', () => {
  const piece = fc.constantFrom(
    'a',
    '.',
    '"',
    '\\',
    '@',
    '<',
    '>',
    '[',
    ']',
    ' ',
    'é',
    '-',
    ':',
    ',',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), parts => {
      const path = parseReversePath(`<${parts.join('')}@b>`)
      if (!path.ok || path.address === null) return
      const again = parseReversePath(formatPath(path.address))
      assert.ok(again.ok)
      assert.deepEqual(again.address, path.address)
    }),
    { numRuns: 2000 },
  )
})

test('a path of a megabyte is refused in no time', () => {
  const started = process.cpuUsage()
  for (const unit of ['"\\"', '@a,', 'a.', '[', '<', 'é', 'a@']) {
    assert.equal(parseReversePath(`<${unit.repeat(1_000_000 / unit.length)}`).ok, false)
  }
  assert.ok(process.cpuUsage(started).user < 5000_000)
})

test('parameters are words behind spaces', () => {
  assert.deepEqual(parseParameters('', 0), [])
  assert.deepEqual(parseParameters(' body=8BITMIME  X-a', 0), [
    { keyword: 'BODY', value: '8BITMIME' },
    { keyword: 'X-A', value: undefined },
  ])
  for (const bad of ['X', ' a=b a', ' =b', ' a=', ' a=b=c', ' -a', ' a_b', ' a=\u0001']) {
    assert.equal(typeof parseParameters(bad, 0), 'string', bad)
  }
})

test('replies are formatted and parsed back', () => {
  const reply = { code: 550, detail: '1.1', lines: ['No', 'such user'] } as const
  assert.equal(formatReply(reply), '550-5.1.1 No\r\n550 5.1.1 such user\r\n')
  assert.deepEqual(parseReply(formatReply(reply)), reply)
  assert.deepEqual(parseReply('250\r\n'), { code: 250, lines: [''] })
  assert.deepEqual(parseReply('250 4.1.1 x'), { code: 250, lines: ['4.1.1 x'] })
  assert.deepEqual(parseReply('250-mx\r\n250 2.1.0'), {
    code: 250,
    detail: '1.0',
    lines: ['mx', ''],
  })
  assert.deepEqual(parseReply('550-5.1.1 no\r\n550 at all'), {
    code: 550,
    detail: '1.1',
    lines: ['no', 'at all'],
  })
  assert.deepEqual(parseReply('550-a\r\n554 b'), { code: 554, lines: ['a', 'b'] })
  assert.deepEqual(parseReply('250 2.1.0 x', false), { code: 250, lines: ['2.1.0 x'] })
  for (const bad of ['', '25', 'abc', '250_x', '250-a\r\n550 b', '150 x', '250 a\r\n250 b']) {
    assert.equal(parseReply(bad), undefined, bad)
  }
})

test('an endless reply is malformed, not kept', () => {
  const parser = new ReplyParser()
  let lines = 0
  while (parser.line('250-x', true) === 'more') lines += 1
  assert.equal(lines, 10_000)
  assert.equal(parser.unfinished, false)
})

test('text from anywhere folds into reply lines', () => {
  assert.deepEqual(foldText('a\r\n250 b\0', false), ['a 250 b '])
  assert.deepEqual(foldText('é', false), ['?'])
  assert.deepEqual(foldText('é', true), ['é'])
  assert.deepEqual(foldText('', false), [''])
  const long = foldText('x'.repeat(100_000), false)
  assert.ok(long.length <= 20 && long.every(line => line.length <= 480))
})
