/**
 * Whatever a stranger repeats in a header, it is read in time that grows with it: a pattern that comes back for
 * every blank would stop all sessions. Each reader is given thirty thousand characters of each kind.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutMarks } from '../../src/access/imap-preview.ts'
import { heedPriority } from '../../src/inbound/heed-priority.ts'
import { heedValidSince } from '../../src/inbound/heed-valid-since.ts'
import type { Envelope } from '../../src/mail/envelope.ts'
import { parseAddressList } from '../../src/message/address-list.ts'
import { baseSubject } from '../../src/message/base-subject.ts'
import { headerFault, missingFields, rangesOf } from '../../src/message/complete.ts'
import { parametersOf, parseContentType, parseEncoding } from '../../src/message/content-type.ts'
import { decodeWords } from '../../src/message/encoded-word.ts'
import { envelopeOf } from '../../src/message/envelope.ts'
import { finished } from '../../src/message/gradual.ts'
import { scanHeader } from '../../src/message/header.ts'
import { StructureScanner } from '../../src/message/structure-scan.ts'
import { threadFacts, threadFactsOf, threading } from '../../src/message/thread.ts'
import { offered } from '../../src/smtp/client/hello.ts'

const OCTETS = 30_000
/** Thirty thousand characters take a few milliseconds; where each is looked at for each other, many seconds. */
const MOST_MS = 800

const header = (field: string) => (text: string) =>
  scanHeader(Buffer.from(`${field}: ${text}\r\n\r\n`))
const structure = (field: string) => (text: string) => {
  const scanner = new StructureScanner()
  scanner.push(Buffer.from(`${field}: ${text}\r\n\r\nbody\r\n`))
  return scanner.finish()
}
const to = (...recipients: string[]): Envelope => ({
  sender: { reversePath: null, body: '7BIT', utf8: false },
  recipients: recipients.map(local => ({ forwardPath: { local, domain: 'example.org' } })),
})
const facts = { hostname: 'x.example', timeMs: 0, id: 'x' }

const readers: Readonly<Record<string, (text: string) => unknown>> = {
  addresses: parseAddressList,
  'a subject': baseSubject,
  'the words of a subject': decodeWords,
  'a content type': parseContentType,
  'a content type with a type': text => parseContentType(`text/plain; charset=${text}`),
  parameters: parametersOf,
  'an encoding': parseEncoding,
  'a header': text => scanHeader(Buffer.from(text)),
  'the structure by Content-Type': structure('Content-Type'),
  'the structure by a boundary': structure('Content-Type: multipart/mixed; boundary'),
  'the structure by Content-Disposition': structure('Content-Disposition'),
  'the structure by Content-Language': structure('Content-Language'),
  'the structure by Content-ID': structure('Content-ID'),
  'an envelope': text => envelopeOf(header('From')(text)),
  'an envelope by In-Reply-To': text => envelopeOf(header('In-Reply-To')(text)),
  references: text => threadFactsOf(1, header('References')(text), 0),
  'a message id': text => threadFactsOf(1, header('Message-ID')(text), 0),
  'a date': text => threadFactsOf(1, header('Date')(text), 0),
  authors: text => headerFault(header('From')(text)),
  'a priority': text => heedPriority(to('joe'), header('MT-Priority')(text), 9),
  'what a hop offers': text => offered({ code: 250, lines: ['hop', text, `A${text}\u2028.`] }),
  'the marks of a text': withoutMarks,
  'what is missing': text => missingFields(header('From')(text), facts),
}

const units = [
  ...' \t()<>"\\@,;:=.[]?*\'%-a'.split(''),
  ...[
    'a ',
    '\r\n ',
    '(a)',
    '\\(',
    '"a" ',
    'a@b.c,',
    '<a@b>',
    'a:',
    'a;',
    'a=b;',
    '*0=',
    ';a*1=x',
    '%41',
  ],
  ...[
    '=?',
    '?=',
    '=?utf-8?q?a?=',
    '=?utf-8?q?a?= ',
    '=?utf-8?b?',
    '=?a?q?',
    'Re: ',
    '[a]',
    '(fwd)',
    'fwd:',
  ],
  ...['(\\(', '= ', '<style ', '<!-', '&#1;', '\u2028'],
  ...['<a@b> ', '@a,@b:', '1 Jan 2026 ', 'é', '\u{1f4e7}'],
]

/** The time of the processor, which others do not lengthen. */
function taken(work: () => unknown): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

for (const [name, read] of Object.entries(readers)) {
  test(`${name}, whatever is repeated in it`, () => {
    for (const unit of units) {
      const many = unit.repeat(OCTETS / unit.length)
      for (const text of [many, `x${many}b`, `"${many}`, `(${many}`, `a;b=${many}c`]) {
        const ms = taken(() => read(text))
        assert.ok(ms < MOST_MS, `${JSON.stringify(text.slice(0, 30))}: ${ms} ms`)
      }
    }
  })
}

/** Thousands of one kind for thousands of another: each costs seconds where every one is held against every other. */
const crowds: Readonly<Record<string, () => unknown>> = {
  'recipients, each named by thousands of fields': () => {
    const field = 'Require-Recipient-Valid-Since: a@b; 1 Jan 70 00:00:00 Z\r\n'
    const many = Array.from({ length: 4000 }, (_, n) => `user+${n}`)
    return heedValidSince(to(...many), scanHeader(Buffer.from(field.repeat(2000))), () => true)
  },
  'fields, all of which are left out': () => {
    const { fields, ...all } = scanHeader(Buffer.from('X:\r\n'.repeat(60_000)), {
      fieldsMax: 60_000,
    })
    return rangesOf(Object.assign(all, { fields }) as never, [], fields)
  },
  'keyword lines of a hop': () =>
    offered({ code: 250, lines: new Array(10_000).fill(`A ${'x'.repeat(90)}`) }),
  'answers below a thousand messages that are not here': () => {
    const refer = (uid: number, ids: readonly number[]) =>
      threadFacts(uid, uid, {
        subject: `s${uid}`,
        date: undefined,
        messageId: `<m${uid}>`,
        inReplyTo: undefined,
        references: ids.map(id => `<r${id}>`).join(' '),
      })
    const chain = Array.from({ length: 10 }, (_, n) =>
      refer(
        n + 1,
        Array.from({ length: 100 }, (_, k) => n * 99 + k),
      ),
    )
    const answers = Array.from({ length: 10_000 }, (_, n) => refer(n + 11, [990]))
    return finished(threading([...chain, ...answers], 'REFERENCES'))
  },
}

for (const [name, work] of Object.entries(crowds)) {
  test(name, () => {
    const ms = taken(work)
    assert.ok(ms < MOST_MS, `${ms} ms`)
  })
}
