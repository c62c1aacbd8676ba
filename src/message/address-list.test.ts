import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatAddress } from '../mail/address.ts'
import { formatAddressList, formatMailbox, formatPhrase, parseAddressList } from './address-list.ts'

/** Shorthand: `name|address`, and groups as `name:a,b`. */
function read(text: string): string[] {
  return parseAddressList(text).mailboxes.map(box => `${box.name}|${formatAddress(box.address)}`)
}

for (const [text, expected] of [
  ['joe@example.org', ['|joe@example.org']],
  ['Joe Q. Public <john.q.public@Example.COM>', ['Joe Q. Public|john.q.public@example.com']],
  ['"Joe & J. Harvey" <ddd@example.org>, a@b', ['Joe & J. Harvey|ddd@example.org', '|a@b']],
  ['"Giant; \\"Big\\" Box" <s@x>', ['Giant; "Big" Box|s@x']],
  [
    'A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;',
    ['Ed Jones|c@a.test', '|joe@where.test', 'John|jdoe@one.test'],
  ],
  ['Undisclosed recipients:;', []],
  ['undisclosed recipients: ;, a@b', ['|a@b']],
  ['Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>', ['Pete|pete@silly.test']],
  ['joe@x.test (Joe (the) Man)', ['Joe (the) Man|joe@x.test']],
  ['<@a.test,@b.test:joe@c.test>', ['|joe@c.test']],
  ['Joe <@a.test:joe@c.test>', ['Joe|joe@c.test']],
  [', ,a@b, ,', ['|a@b']],
  ['john . q @ x . test', ['|john.q@x.test']],
  ['"quoted.string"@x', ['|quoted.string@x']],
  ['"a b"@x', ['|"a b"@x']],
  ['"a\tb"@x', ['|"a b"@x']],
  ['"a@b.test x"@internal.test', ['|"a@b.test x"@internal.test']],
  ['"x@evil.test" <joe@good.test>', ['x@evil.test|joe@good.test']],
  ['a@[192.0.2.1]', ['|a@[192.0.2.1]']],
  ['a@[IPv6:2001:db8::1]', ['|a@[IPv6:2001:db8::1]']],
  ['=?UTF-8?Q?Andr=C3=A9?= =?UTF-8?Q?_P?= <a@b>', ['Andr\u00e9 P|a@b']],
  ['=?utf-8?Q?a=40evil.test=2C?= <joe@good.test>', ['a@evil.test,|joe@good.test']],
  ['\u7528\u6237@\u4f8b\u5b50.\u5e7f\u544a', ['|\u7528\u6237@\u4f8b\u5b50.\u5e7f\u544a']],
  ['Joe\r\n <a@b>', ['Joe|a@b']],
  ['', []],
] as const) {
  test(`the list ${JSON.stringify(text)} is read`, () => {
    assert.deepEqual(read(text), expected)
    assert.equal(parseAddressList(text).fault, undefined)
  })
}

for (const [text, expected] of [
  ['joe', []],
  ['joe smith@x', []],
  ['a@b@c', []],
  ['a..b@x', []],
  ['.a@x', []],
  ['a@x.', []],
  ['@x', []],
  ['a@', []],
  ['a@"quoted"', []],
  ['"a" "b"@x', []],
  ['Joe <>', []],
  ['Joe <a@b', []],
  ['Joe <a@b> x, c@d', ['|c@d']],
  ['Joe <<a@b>>, c@d', ['|c@d']],
  ['joe@x.test <other@y.test>', []],
  ['"open <a@b>', []],
  ['(open a@b', []],
  ['a@[1.2.3.4', ['|a@[1.2.3.4]']],
  ['Outer: Inner: a@b;;', ['|a@b']],
  ['Group: a@b', ['|a@b']],
  ['a@b; c@d', ['|a@b', '|c@d']],
  ['a@b\r\nBcc: c@d', []],
  ['"a\r\nb"@c', ['|"a  b"@c']],
  ['a\\b@c, d@e', ['|d@e']],
  ['a>b@c', []],
] as const) {
  test(`the list ${JSON.stringify(text)} has a fault`, () => {
    const list = parseAddressList(text)
    assert.notEqual(list.fault, undefined)
    assert.deepEqual(read(text), expected)
  })
}

test('groups keep their name and members', () => {
  const list = parseAddressList('x@y, "The Team": a@b, Joe <c@d>;, e@f')
  assert.deepEqual(list.entries, [
    { name: '', address: { local: 'x', domain: 'y' } },
    {
      name: 'The Team',
      members: [
        { name: '', address: { local: 'a', domain: 'b' } },
        { name: 'Joe', address: { local: 'c', domain: 'd' } },
      ],
    },
    { name: '', address: { local: 'e', domain: 'f' } },
  ])
  assert.equal(formatAddressList(list.entries), 'x@y, The Team: a@b, Joe <c@d>;, e@f')
})

test('more addresses than a hundred thousand end the list with a fault', () => {
  const list = parseAddressList('a@b,'.repeat(120_000))
  assert.equal(list.mailboxes.length, 100_000)
  assert.equal(list.fault, 'too many addresses')
})

test('a name is written plainly, in quotes, or as encoded-words', () => {
  assert.equal(formatPhrase('Joe Smith'), 'Joe Smith')
  assert.equal(formatPhrase('Smith, Joe "J"'), '"Smith, Joe \\"J\\""')
  assert.equal(formatPhrase('Andr\u00e9'), '=?UTF-8?Q?Andr=C3=A9?=')
  assert.equal(formatPhrase('a\r\nBcc: x'), '=?UTF-8?Q?a=0D=0ABcc=3A_x?=')
})

test('what is written reads back as the same mailbox', () => {
  const name = fc.string({ unit: 'grapheme', maxLength: 80 })
  // An address of ours has no control characters in its local part: the wire grammar has none.
  const local = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
    .map(text => text.replace(/[\u0000-\u001f\u007f]/g, '_'))
  fc.assert(
    fc.property(name, local, (text, part) => {
      const mailbox = { name: text, address: { local: part, domain: 'example.org' } }
      const list = parseAddressList(formatMailbox(mailbox))
      assert.equal(list.fault, undefined)
      assert.equal(list.mailboxes.length, 1)
      assert.deepEqual(list.mailboxes[0]?.address, mailbox.address)
      const shown = text.replace(/[\u0000-\u001f\u007f\u2028\u2029]/g, ' ').trim()
      assert.equal(list.mailboxes[0]?.name, shown)
    }),
    { numRuns: 100 },
  )
})

for (const [what, text] of [
  ['open comments', '('.repeat(1_000_000)],
  ['nested comments', `${'('.repeat(500_000)}${')'.repeat(500_000)} a@b`],
  ['groups within groups', 'g:'.repeat(500_000)],
  ['open angles', '<'.repeat(1_000_000)],
  ['open quotes', '"a'.repeat(500_000)],
  ['open quotes after angles', '<"'.repeat(500_000)],
  ['backslashes', `"${'\\'.repeat(1_000_000)}`],
  ['dots', `${'a.'.repeat(500_000)}@b`],
  ['at signs', '@'.repeat(1_000_000)],
  ['routes', `<${'@a,'.repeat(330_000)}:b@c>`],
  ['open brackets', '['.repeat(1_000_000)],
  ['spaces', ' '.repeat(1_000_000)],
  ['line ends', '\r\n'.repeat(500_000)],
  ['carriage returns', '\r'.repeat(1_000_000)],
  ['atoms', 'a '.repeat(500_000)],
  ['open encoded-words', '=?u?q?'.repeat(160_000)],
  [
    'encoded-words of many charsets',
    Array.from({ length: 50_000 }, (_, i) => `=?x${i}?q?a?= `).join(''),
  ],
] as const) {
  test(`a megabyte of ${what} is read quickly`, () => {
    const started = process.cpuUsage()
    parseAddressList(text)
    assert.ok(process.cpuUsage(started).user < 6000_000)
  })
}
