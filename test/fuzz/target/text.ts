/**
 * The small readers: one for each way in which the wire or a person writes a thing. What is read and written
 * again is read as the same.
 */
import assert from 'node:assert/strict'
import { parseImapUrl } from '../../../src/imap/url.ts'
import { formatAddress, parseStoredAddress } from '../../../src/mail/address.ts'
import { parseCommand as parseMtqp } from '../../../src/mtqp/command.ts'
import { parseCommand as parsePop3 } from '../../../src/pop3/command.ts'
import { querySql } from '../../../src/queue/query-sql.ts'
import { formatQuery, parseQuery, showMistake } from '../../../src/queue/query-text.ts'
import { parseAddressPattern } from '../../../src/route/pattern.ts'
import { parseDomain, parseLiteral } from '../../../src/smtp/domain.ts'
import { parseParameters } from '../../../src/smtp/parameter.ts'
import { parseForwardPath, parseMailbox, parseReversePath } from '../../../src/smtp/path.ts'
import { formatReply, parseReply } from '../../../src/smtp/reply.ts'
import { forwardedSender, looksLikeSrs, reversed } from '../../../src/transit/srs.ts'
import { decodeBase64, encodeBase64 } from '../../../src/wire/base64.ts'
import { formatDate, parseDate, parseLocalDate } from '../../../src/wire/date.ts'
import { formatDuration, formatSize, parseDuration, parseSize } from '../../../src/wire/measure.ts'
import {
  formatIp,
  formatNetwork,
  isWithin,
  parseIp,
  parseNetwork,
} from '../../../src/wire/network.ts'
import { ProxyReader } from '../../../src/wire/proxy.ts'
import { formatTimestamp, parseTimestamp } from '../../../src/wire/timestamp.ts'
import { decodeUtf7, encodeUtf7 } from '../../../src/wire/utf7.ts'
import { decodeXtext, encodeXtext } from '../../../src/wire/xtext.ts'
import { pick, some, type Target } from '../lab/target.ts'

const buffers = (texts: readonly string[]) => texts.map(text => Buffer.from(text, 'latin1'))

/** A target that reads text: as ISO 8859-1 and as UTF-8, since both come. */
function text(
  name: string,
  seeds: readonly string[],
  words: readonly string[],
  read: (text: string) => number | void,
): Target {
  return {
    name,
    seeds: () => buffers(seeds),
    words,
    run: input => {
      const one = read(input.toString('latin1')) ?? 0
      return one + (read(input.toString('utf8')) ?? 0)
    },
  }
}

const xtext = text(
  'xtext',
  ['a+2Bb', '+41+00', 'joe+40example.org'],
  ['+', '+0', '=', '+FF'],
  text => {
    const decoded = decodeXtext(text)
    if (decoded !== undefined && /^[\0-\x7f]*$/.test(decoded)) {
      assert.equal(decodeXtext(encodeXtext(decoded)), decoded)
    }
    const octets = Buffer.from(text).toString('latin1')
    assert.equal(decodeXtext(encodeXtext(text)), octets)
    assert.match(encodeXtext(text), /^[!-*,-<>-~+]*$/)
  },
)

const utf7 = text('utf7', ['&AOk-', 'a&-b', '&2D3cZA-'], ['&', '-', ',', '&AA-'], text => {
  const decoded = decodeUtf7(text)
  if (decoded !== undefined) assert.equal(encodeUtf7(decoded), text)
  assert.equal(decodeUtf7(encodeUtf7(text)), text)
  assert.match(encodeUtf7(text), /^[ -~]*$/)
})

const base64 = text('base64', ['', 'YQ==', 'YWI=', 'YWJj'], ['=', '==', '\n'], text => {
  const octets = decodeBase64(text)
  if (octets !== undefined) assert.ok(octets.length <= (text.length / 4) * 3)
  const given = Buffer.from(text)
  assert.deepEqual(decodeBase64(encodeBase64(given)), given)
})

const times = text(
  'times',
  [
    'Sat, 21 Nov 2026 22:55:27 +0000',
    '21 Nov 26 22:55 EST',
    '2026-11-27T04:00:00Z',
    '2026-11-27T04:00:60+01:30',
    '1h30m',
    '1.5d',
    '50MB',
    '1048576',
    '10GiB',
  ],
  [
    'Jan',
    'Feb',
    'Mon,',
    '31',
    '29',
    '24:00',
    '+9999',
    '-0000',
    'GMT',
    '(c)',
    '(',
    'ms',
    'w',
    'KiB',
  ],
  text => {
    const at = parseDate(text)
    if (at !== undefined && at >= Date.UTC(1900, 0, 1) && at <= Date.UTC(9999, 11, 31)) {
      assert.equal(parseDate(formatDate(at)), at)
    }
    parseLocalDate(text)
    const stamp = parseTimestamp(text)
    if (stamp !== undefined && stamp >= 0 && stamp <= Date.UTC(9999, 11, 31)) {
      assert.equal(parseTimestamp(formatTimestamp(stamp)), stamp)
    }
    const duration = parseDuration(text)
    if (duration !== undefined) assert.equal(parseDuration(formatDuration(duration)), duration)
    const size = parseSize(text)
    if (size !== undefined) {
      const again = parseSize(formatSize(size)) ?? 0
      assert.ok(Math.abs(again - size) <= size * 0.06 + 1, `${size} as ${formatSize(size)}`)
    }
  },
)

const network = text(
  'network',
  ['192.0.2.0/24', '2001:db8::/32', '::ffff:192.0.2.1', '::1', '1:2:3:4:5:6:7:8'],
  ['::', ':', '/', '0', 'ffff', '.', '1.2.3.4', '255'],
  text => {
    const octets = parseIp(text)
    if (octets !== undefined) assert.deepEqual(parseIp(formatIp(octets)), octets)
    const net = parseNetwork(text)
    if (net === undefined) return
    assert.deepEqual(parseNetwork(formatNetwork(net)), net)
    assert.ok(isWithin(formatIp(net.octets), [net]))
  },
)

const proxyV2 = Buffer.concat([
  Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'),
  Buffer.from([0x21, 0x11, 0, 12, 192, 0, 2, 1, 192, 0, 2, 2, 0x10, 0x20, 0, 25]),
])
const proxyTls = Buffer.concat([
  Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'),
  Buffer.from([0x21, 0x11, 0, 31, 192, 0, 2, 1, 192, 0, 2, 2, 0x10, 0x20, 0, 25]),
  Buffer.from([0x20, 0, 16, 7, 0, 0, 0, 0, 0x21, 0, 3, 49, 46, 50, 0x22, 0, 2, 97, 98]),
])

const proxy: Target = {
  name: 'proxy',
  seeds: () => [
    Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 4128 25\r\nEHLO x\r\n'),
    Buffer.from('PROXY TCP6 2001:db8::1 2001:db8::2 4128 25\r\n'),
    Buffer.from('PROXY UNKNOWN\r\n'),
    proxyV2,
    proxyTls,
  ],
  words: [
    'PROXY ',
    'TCP4',
    'UNKNOWN',
    '\r\n\r\n\0\r\nQUIT\n',
    '\x21\x11',
    '\x20\x00',
    '\x03\0\x04',
  ],
  run: (input, random) => {
    const read = (size: number) => {
      const reader = new ProxyReader()
      for (let at = 0; at < input.length; at += size) {
        const found = reader.push(input.subarray(at, at + size))
        if (found?.kind === 'fault') return found.why === '' ? '' : 'fault'
        if (found !== undefined) {
          const { rest, ...header } = found
          return JSON.stringify({ ...header, behind: at + size - rest.length })
        }
      }
      return 'more'
    }
    const whole = read(Math.max(1, input.length))
    const cut = read(1 + random.below(5))
    if (whole.startsWith('{')) {
      // What stands behind the header is not part of it, however it came.
      const facts = (found: string) => ({ ...JSON.parse(found), behind: 0 })
      assert.deepEqual(facts(cut), facts(whole))
      const { ends } = JSON.parse(whole)
      if (ends) assert.match(ends.remote.address, /^[0-9a-f:.]+$/)
    } else assert.equal(cut, whole)
    return whole.length
  },
}

const path = text(
  'path',
  [
    '<joe@example.org>',
    '<>',
    '<Postmaster>',
    '<@a,@b:joe@example.org>',
    '<"a b"@example.org>',
    '<joe@[192.0.2.1]>',
    '<joe@[IPv6:::1]>',
    '<joe@example.org> SIZE=1 BODY=8BITMIME ENVID=a+2Bb',
    '<\xc3\xa9@\xc3\xa9.example>',
    'SRS0=abcd=ef=example.org=joe',
  ],
  ['<', '>', '@', '"', '\\', '[', ']', 'IPv6:', '.', ' ', '=', 'SRS0=', 'SRS1+', 'ORCPT=rfc822;'],
  text => {
    for (const parse of [parseForwardPath, parseReversePath]) {
      const found = parse(text)
      if (!found.ok || found.address === null || found.address.domain === '') continue
      const { address, next } = found
      const written = formatAddress(address)
      assert.deepEqual(parseStoredAddress(written), address)
      // What is a path in any spelling is one as we write it, unless only the spelling made it fit.
      if (written.length <= 250) assert.deepEqual(parseMailbox(written), address, written)
      assert.doesNotMatch(written, /[\r\n\0]/)
      parseParameters(text, next)
    }
    parseDomain(text, 0)
    parseLiteral(text, 0)
    parseAddressPattern(text)
    const by = { secrets: ['secret'], hashLength: 8, nowMs: 1e12, keepDays: 9 }
    if (looksLikeSrs(text)) reversed(text, by)
    const sender = parseMailbox(text)
    if (sender === undefined) return
    const forwarded = forwardedSender(sender, { ...by, domain: 'x.example', messageId: 'm1' })
    const back = reversed(forwarded.local, by)
    assert.notEqual(back.kind, 'forged', forwarded.local)
  },
)

const reply = text(
  'reply',
  ['250 2.1.0 ok\r\n', '250-a\r\n250-b\r\n250 c\r\n', '550-5.1.1 no\r\n550 5.1.1 nobody\r\n'],
  ['250', '-', ' ', '5.1.1', '2.0.0 ', '\r\n', '421'],
  text => {
    const found = parseReply(text)
    if (found === undefined) return
    for (const line of found.lines) assert.doesNotMatch(line, /[\r\n]/)
    assert.deepEqual(parseReply(formatReply(found)), found)
  },
)

const url = text(
  'imap-url',
  [
    'imap://joe@example.org/INBOX;UIDVALIDITY=3/;UID=20/;SECTION=1.2',
    '/Drafts/;UID=1/;PARTIAL=0.9',
    'imap://joe@h/a%20b/;UID=2;EXPIRE=2026-11-27T04:00:00Z;URLAUTH=submit+joe:INTERNAL:9135',
  ],
  [';UID=', ';SECTION=', 'HEADER.FIELDS%20(a)', '%', '%00', '%2F', ';URLAUTH=', ';AUTH=*', '/;'],
  text => {
    const found = parseImapUrl(text)
    if (found !== undefined) assert.ok(found.uid > 0 && found.mailbox !== '')
  },
)

const terms = ['state:held', 'from:joe@example.org', 'age>1h', 'size<=10MB', 'to:*@x', 'attempts=3']

const query: Target = {
  name: 'query',
  seeds: () =>
    buffers([...terms, '-state:held "a b" from:"x y"', 'a1b2c3d4*', '', terms.join(' ')]),
  words: [
    '-',
    ':',
    '"',
    '*',
    '<=',
    '>',
    ',',
    'or',
    'state:',
    'from:',
    'age',
    '1h',
    '10MB',
    ...terms,
  ],
  make: random => Buffer.from(some(random, 1, 5, () => `${pick(random, terms)} `)),
  run: input => {
    const given = input.toString()
    const found = parseQuery(given)
    if (found.kind === 'mistake') return showMistake(given, found).length
    const written = formatQuery(found.query)
    const again = parseQuery(written)
    assert.ok(again.kind === 'query', written)
    assert.deepEqual(again.query, found.query, written)
    const { where, states, values } = querySql(found.query, { at: 1e12, upTo: 'x' }, [])
    for (const sql of [where, ...states])
      assert.doesNotMatch(sql.replace(/'(?:[a-z]+|\\)'/g, ''), /["';]/)
    for (const [, number] of where.matchAll(/\?(\d+)/g)) assert.ok(Number(number) <= values.length)
    return where.length
  },
}

const commands = text(
  'commands',
  ['RETR 1', 'TOP 1 10', 'AUTH PLAIN dGVzdA==', 'TRACK <1@x> c2VjcmV0', 'COMMENT x', 'USER joe'],
  ['RETR', 'APOP', 'TRACK', '<', '>', ' ', '  '],
  text => {
    parsePop3(text)
    parseMtqp(text)
  },
)

export const textTargets: readonly Target[] = [
  xtext,
  utf7,
  base64,
  times,
  network,
  proxy,
  path,
  reply,
  url,
  query,
  commands,
]
