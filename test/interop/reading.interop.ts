/**
 * One mailbox read by us and by Dovecot with the same commands: sections of odd messages, octet for octet, what SEARCH finds by
 * each key, and the orders of SORT and THREAD. Where they differ, the rule that explains it stands here by name and in
 * docs/interop.md; what no rule explains fails.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parseAddressList } from '../../src/message/address-list.ts'
import { scanHeader } from '../../src/message/header.ts'
import { asText, readCorpus } from '../corpus/read.ts'
import { clear, type Server, startServer } from '../kit/server.ts'
import { dovecotReads, dovecotSays } from './dovecot-reader.ts'

const skip = !dovecotReads

/** Few enough to be read in seconds, each small. */
const SIZE_MAX_OCTETS = 20_000

/** Letters that the corpus has too few of: threads, subjects and addresses to be put in order, words in other charsets. */
function* letters(): Generator<string> {
  const subjects = [
    'b',
    'Re: a',
    'a',
    'Fwd: RE: [list] b',
    '=?utf-8?q?=C3=A4pfel?=',
    '(fwd)',
    'Re[2]: c',
    '',
  ]
  for (const [n, subject] of subjects.entries()) {
    const to = ['Zoe <b@x.org>', '"an, a" <c@x.org>', 'x: a@x.org, b@x.org;', '<A@x.org>'][n % 4]
    yield [
      `Date: ${['Fri, 27 Nov 2026 10:00:00 +0000', '27 Nov 2026 09:30:00 -0300', 'Mon, 5 Jan 2026 00:00:00 +0000'][n % 3]}`,
      `From: ${['=?iso-8859-1?Q?J=F6e?= <j@x.org>', 'ann@x.org', 'Bob (the) <bob@y.org>'][n % 3]}`,
      `To: ${to}`,
      ...(n % 2 ? [`Cc: cc${n}@x.org`] : []),
      `Subject: ${subject}`,
      `Message-ID: <${n}@x.org>`,
      ...(n > 2 ? [`References: <${n - 3}@x.org> <${n - 2}@x.org>`] : []),
      ...(n === 1 ? ['In-Reply-To: <0@x.org>'] : []),
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=iso-8859-1',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      `a w=F6rd of ${n}, soft =\r\nly broken`,
      '',
    ].join('\r\n')
  }
}

const FLAGS = ['', '\\Seen', '\\Answered \\Flagged', '\\Deleted', '\\Draft work', 'Work \\Seen']

interface Letter {
  readonly octets: Buffer
  readonly flags: string
  readonly date: string
}

const mailbox: readonly Letter[] = [
  ...readCorpus().map(each => asText(each.octets)),
  ...Array.from(letters(), each => Buffer.from(each)),
]
  .filter(octets => octets.length <= SIZE_MAX_OCTETS && octets.length > 0 && !octets.includes(0))
  .map((octets, n) => ({
    octets,
    flags: FLAGS[n % FLAGS.length] ?? '',
    date: `${String(1 + (n % 26)).padStart(2, '0')}-Nov-2026 12:00:0${n % 10} +0000`,
  }))

/** What both are asked, and how each answered. */
const SECTIONS = [
  ...[
    'HEADER',
    'TEXT',
    '1',
    '2',
    '1.MIME',
    '2.MIME',
    '1.1',
    '1.2',
    '2.1',
    '2.HEADER',
    '2.TEXT',
    '1.1.MIME',
  ],
  ...['HEADER.FIELDS (SUBJECT FROM X-Missing)', 'HEADER.FIELDS.NOT (RECEIVED DKIM-SIGNATURE)'],
].map(section => `BODY.PEEK[${section}]`)
const PARTIALS = [
  'BODY.PEEK[]<0.100>',
  'BODY.PEEK[TEXT]<5.20>',
  'BODY.PEEK[1]<10.1000>',
  'BODY.PEEK[HEADER]<30.7>',
  'BODY.PEEK[]<19000.5000>',
]
const SEARCHES = [
  ...[
    'ALL',
    'ANSWERED',
    'DELETED',
    'DRAFT',
    'FLAGGED',
    'SEEN',
    'UNANSWERED',
    'UNDELETED',
    'UNDRAFT',
    'UNFLAGGED',
    'UNSEEN',
  ],
  ...[
    'KEYWORD work',
    'UNKEYWORD work',
    'KEYWORD nothing',
    '2:5',
    'UID 3:7',
    'NOT 1:10',
    'OR SEEN DELETED',
    '(SEEN KEYWORD work)',
  ],
  ...[
    'LARGER 1000',
    'SMALLER 1000',
    'LARGER 0',
    'BEFORE 10-Nov-2026',
    'ON 10-Nov-2026',
    'SINCE 10-Nov-2026',
  ],
  ...[
    'SENTBEFORE 1-Jan-2010',
    'SENTON 27-Nov-2026',
    'SENTSINCE 1-Jan-2010',
    'SENTBEFORE 2-Jan-1970',
  ],
  ...[
    'SUBJECT test',
    'SUBJECT ""',
    'FROM "x.org"',
    'FROM bob',
    'TO "b@x.org"',
    'CC "x.org"',
    'BCC example',
    'FROM "Jo"',
  ],
  ...[
    'HEADER Message-ID ""',
    'HEADER Message-ID "@x.org"',
    'HEADER X-Missing ""',
    'HEADER Content-Type multipart',
  ],
  ...[
    'HEADER Received from',
    'BODY the',
    'BODY "soft ly"',
    'BODY "softly"',
    'TEXT subject',
    'TEXT "x.org"',
    'BODY "html"',
  ],
  ...[
    'CHARSET UTF-8 SUBJECT {5+}\r\näpfe',
    'CHARSET UTF-8 BODY {5+}\r\nwörd',
    'CHARSET UTF-8 FROM {4+}\r\njöe',
    'CHARSET UTF-8 TEXT {5+}\r\nWÖRD',
  ],
  ...['YOUNGER 60', 'OLDER 60', 'MODSEQ 1', 'NOT SEEN NOT DELETED'],
]
const KEYS = ['ARRIVAL', 'CC', 'DATE', 'FROM', 'SIZE', 'SUBJECT', 'TO', 'DISPLAYFROM', 'DISPLAYTO']
const ORDERS = (alike: string) => [
  ...KEYS.flatMap(key => [`SORT (${key}) UTF-8 ALL`, `SORT (REVERSE ${key}) UTF-8 ALL`]),
  'SORT (SUBJECT REVERSE DATE) UTF-8 SEEN',
  ...['ORDEREDSUBJECT', 'REFERENCES', 'REFS'].map(how => `THREAD ${how} UTF-8 ${alike}`),
]

let server: Server
let ours: readonly string[]
let theirs: readonly string[]
before(async () => {
  if (skip) return
  server = await startServer({ timeoutMs: 120_000 })
  ours = await weSay()
  theirs = await dovecotSays(mailbox, commands)
})
after(clear)

/** The untagged answers to each command. */
async function weSay(): Promise<readonly string[]> {
  const { address, password } = server.account(0)
  const dialogue = await server.connect('imaps', { timeoutMs: 60_000 })
  const said: string[] = []
  let text = ''
  let wake = () => {}
  dialogue.socket.removeAllListeners('data').on('data', (octets: Buffer) => {
    text += octets.toString('latin1')
    wake()
  })
  const say = async (command: string | Buffer) => {
    text = ''
    await dialogue.send('a ')
    await dialogue.send(command)
    await dialogue.send('\r\n')
    while (!/(?:^|\r\n)a [A-Z]+ [^\r\n]*\r\n$/.test(text))
      await new Promise<void>(done => (wake = done))
    return text
  }
  await say(`LOGIN ${address} "${password}"`)
  for (const { octets, flags, date } of mailbox) {
    const answer = await say(
      Buffer.concat([
        Buffer.from(`APPEND INBOX (${flags}) "${date}" {${octets.length}+}\r\n`),
        octets,
      ]),
    )
    assert.match(answer, /a OK/)
  }
  await say('EXAMINE INBOX')
  for (const command of commands) said.push(await say(command))
  dialogue.end()
  return said
}

/** What a SEARCH, SORT or THREAD tells, without its words. */
function found(text: string): string {
  return (/^\* (?:SEARCH|SORT|THREAD)(.*)$/m.exec(text)?.[1] ?? text).trim()
}

/** The value of one item of each message: its octets, or undefined for NIL. */
function fetched(text: string): ReadonlyMap<number, string | undefined> {
  const values = new Map<number, string | undefined>()
  for (let at = 0; ; ) {
    const start = /\* (\d+) FETCH \(BODY\[[^\]]*\](?:<\d+>)? /g
    start.lastIndex = at
    const begun = start.exec(text)
    if (begun === null) return values
    at = start.lastIndex
    const rest = text.slice(at, at + 20)
    const literal = /^\{(\d+)\}\r\n/.exec(rest)
    const size = Number(literal?.[1] ?? 0)
    const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(text.slice(at))
    if (literal) at += literal[0].length
    values.set(
      Number(begun[1]),
      literal ? text.slice(at, at + size) : quoted ? quoted[1] : undefined,
    )
    at += size
  }
}

const FIELDS = /^(?:[!-9;-~]+[ \t]*:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)+\r\n/

/** Why a message is not read alike everywhere; docs/interop.md tells how each is read. */
const ODD: Readonly<Record<string, (message: string) => boolean>> = {
  'lines in a header that are no fields': message =>
    !FIELDS.test(message) ||
    [...message.matchAll(/^content-type:[^;]*;[^\r\n]*\r\n(?=[a-z]+=)/gim)].length > 0,
  'octets beyond ASCII in a header': message =>
    /[\x80-\xff]/.test(headerOf(message)) ||
    /^content-(?:type|disposition):[^\r\n]*(?:\r\n[ \t][^\r\n]*)*[\x80-\xff]/im.test(message),
  'no Date, or one at the epoch': message =>
    !/^date:/im.test(headerOf(message)) || /^date:.*\b1970\b/im.test(headerOf(message)),
  'addresses with a fault': message =>
    scanHeader(Buffer.from(message, 'latin1')).fields.some(
      ({ name, valueFrom, to }) =>
        /^(?:from|to|cc)$/.test(name) &&
        parseAddressList(message.slice(valueFrom, to)).fault !== undefined,
    ),
  'boundaries that are missing, not closed, or begin with one another': message => {
    const all = [...message.matchAll(/boundary="?([^"\r\n;]+)/gi)].map(([, each = '']) => each)
    return (
      (/^content-type:\s*multipart/im.test(message) && all.length === 0) ||
      all.some(
        (one, n) =>
          !message.split('\r\n').some(line => line.trimEnd() === `--${one}--`) ||
          all.some((other, m) => n !== m && other.startsWith(one)),
      )
    )
  },
}

function headerOf(message: string): string {
  return message.slice(0, message.indexOf('\r\n\r\n') + 2)
}

const texts = mailbox.map(({ octets }) => octets.toString('latin1'))
const plain = texts.flatMap((text, n) => (Object.values(ODD).some(is => is(text)) ? [] : n + 1))

const commands = [
  ...[...SECTIONS, ...PARTIALS].map(item => `FETCH 1:* ${item}`),
  ...SEARCHES.map(key => `SEARCH ${key}`),
  ...ORDERS(plain.join(',')),
]

test('sections are those that Dovecot tells, octet for octet', { skip }, () => {
  const differing: string[] = []
  for (const [n, command] of commands.entries()) {
    if (!command.startsWith('FETCH')) continue
    const [one, other] = [fetched(ours[n] ?? ''), fetched(theirs[n] ?? '')]
    for (const m of plain) {
      if (one.get(m) === other.get(m) || isNoPart(command, one.get(m))) continue
      // RFC 2046 §5.1.1: the line end before a boundary is the boundary's; Dovecot gives it to a multipart within.
      if (other.get(m) === `${one.get(m)}\r\n`) continue
      const shown = [one.get(m), other.get(m)].map(value => JSON.stringify(value)?.slice(0, 200))
      differing.push(`${m} ${command}: ${shown.join(' | ')}`)
    }
  }
  assert.deepEqual(differing, [])
})

/** A part that is not there is NIL here; Dovecot tells an empty one, and `1.1` of a leaf is that leaf. */
function isNoPart(command: string, value: string | undefined): boolean {
  return value === undefined && /\[[\d.]+(?:MIME|HEADER|TEXT)?\]/.test(command)
}

test('searches and orders are those of Dovecot', { skip }, () => {
  const differing: string[] = []
  for (const [n, command] of commands.entries()) {
    if (command.startsWith('FETCH')) continue
    const [one, other] = [found(ours[n] ?? ''), found(theirs[n] ?? '')]
    if (one === other) continue
    const told = [one, other].map(
      command.startsWith('THREAD REFS') ? sorted : command.startsWith('THREAD') ? same : ofPlain,
    )
    if (told[0] !== told[1]) differing.push(`${command}: ${told[0]} | ${told[1]}`)
  }
  assert.deepEqual(differing, [])
})

function same(text: string): string {
  return text
}

/** Its threads in any order: ours is that of the newest INTERNALDATE in each, Dovecot's that of Date. */
function sorted(threads: string): string {
  let depth = 0
  const from: number[] = []
  for (let at = 0; at < threads.length; at++) {
    if (threads[at] === '(' && depth++ === 0) from.push(at)
    else if (threads[at] === ')') depth--
  }
  return from
    .map((at, n) => threads.slice(at, from[n + 1]))
    .sort()
    .join('')
}

/** Of these numbers, those of messages that are read alike. */
function ofPlain(numbers: string): string {
  return numbers
    .replace(/ ?\(MODSEQ.*/, '')
    .split(' ')
    .filter(each => plain.includes(Number(each)))
    .join(' ')
}
