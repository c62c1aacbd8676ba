/** Messages by the grammar of MIME, and by what breaks it: what the targets about messages are given. */
import type { Random } from '../../../src/world/random.ts'
import { readCorpus } from '../../corpus/read.ts'
import { latin1, pick, some } from '../lab/target.ts'

export const words = [
  ...['From: ', 'To: ', 'Subject: ', 'Date: ', 'Message-ID: <a@b>\r\n', 'Received: from x\r\n'],
  ...['Content-Type: ', 'multipart/mixed; boundary=b', 'multipart/alternative; boundary="b1"'],
  ...['message/rfc822', 'message/delivery-status', 'text/plain; charset=utf-8', 'boundary*0=b'],
  ...[
    'Content-Transfer-Encoding: ',
    'base64',
    'quoted-printable',
    'binary',
    'MIME-Version: 1.0\r\n',
  ],
  ...[
    '--b\r\n',
    '--b--\r\n',
    '\r\n--b1\r\n',
    '\r\n\r\n',
    '\r\n ',
    '=?utf-8?q?=C3=A9?=',
    '=?utf-8?b?w6k=?=',
  ],
  ...[
    'joe@example.org',
    '<joe@example.org>',
    '"a, b" ',
    '(c)',
    'g: a@b;',
    '@a,@b:',
    'Content-Disposition: ',
  ],
  ...[
    "filename*=utf-8''%c3%a9",
    "charset*0*=utf-8''x",
    'X-Y: z\r\n',
    'From joe Mon\r\n',
    '=\r\n',
    '=3D',
  ],
]

function entity(random: Random, depth: number): string {
  const way = random.below(depth > 3 ? 3 : 6)
  const encoding = pick(random, [
    '',
    'base64',
    'quoted-printable',
    '7bit',
    '8bit',
    'binary',
    'x-uue',
  ])
  const label = encoding === '' ? '' : `Content-Transfer-Encoding: ${encoding}\r\n`
  if (way < 2) {
    const body = some(random, 0, 4, () =>
      pick(random, ['text', '\r\n', '.', '=E9', '\xe9', '\0', 'YQ==', '-- ']),
    )
    return `Content-Type: ${pick(random, ['text/plain', 'text/html; charset=utf-8', 'image/gif; name="a b"'])}\r\n${label}\r\n${body}\r\n`
  }
  if (way === 2) return `${label}\r\n${'x'.repeat(random.below(2000))}\r\n`
  if (way === 3) {
    const type = pick(random, ['message/rfc822', 'message/global', 'message/delivery-status'])
    return `Content-Type: ${type}\r\n${label}\r\n${entity(random, depth + 1)}`
  }
  const boundary = pick(random, ['b', 'b1', '=_x', 'b-', '(b)'])
  const kind = pick(random, ['mixed', 'alternative', 'digest', 'signed', 'report', 'related'])
  const parts = some(random, 0, 3, () => `--${boundary}\r\n${entity(random, depth + 1)}\r\n`)
  const end = random.below(4) === 0 ? '' : `--${boundary}--\r\n`
  return `Content-Type: multipart/${kind}; boundary="${boundary}"\r\n${label}\r\n${parts}${end}`
}

export const addresses = [
  'joe@example.org',
  'Joe <joe@example.org>',
  '"J, K" <a@b>',
  'g: a@b, c@d;',
  'a@b (c)',
  '<@x:a@b>',
]

export function whole(random: Random): Buffer {
  const field = () =>
    pick(random, [
      `From: ${some(random, 1, 3, () => `${pick(random, addresses)},`)}\r\n`,
      `To: ${pick(random, addresses)}\r\n`,
      `Subject: ${pick(random, ['Re: x', '=?utf-8?q?=C3=A9?=', '\xe9', 'a\r\n b'])}\r\n`,
      'Date: Sat, 21 Nov 2026 22:55:27 +0000\r\n',
      'References: <a@b> <c@d>\r\n',
      'MIME-Version: 1.0\r\n',
    ])
  return latin1(`${some(random, 0, 5, field)}${entity(random, 0)}`)
}

export function small(): readonly Buffer[] {
  return readCorpus()
    .map(({ octets }) => octets)
    .filter(({ length }) => length < 4000)
}
