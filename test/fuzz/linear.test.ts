/**
 * Whatever a stranger repeats in a header, it is read in time that grows with it: a pattern that comes back for
 * every blank would stop all sessions. Each reader is given thirty thousand characters of each kind.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddressList } from '../../src/message/address-list.ts'
import { baseSubject } from '../../src/message/base-subject.ts'
import { headerFault, missingFields } from '../../src/message/complete.ts'
import { parametersOf, parseContentType, parseEncoding } from '../../src/message/content-type.ts'
import { decodeWords } from '../../src/message/encoded-word.ts'
import { envelopeOf } from '../../src/message/envelope.ts'
import { scanHeader } from '../../src/message/header.ts'
import { StructureScanner } from '../../src/message/structure-scan.ts'
import { threadFactsOf } from '../../src/message/thread.ts'

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
  ...['<a@b> ', '@a,@b:', '1 Jan 2026 ', 'é', '\u{1f4e7}'],
]

for (const [name, read] of Object.entries(readers)) {
  test(`${name}, whatever is repeated in it`, () => {
    for (const unit of units) {
      const many = unit.repeat(OCTETS / unit.length)
      for (const text of [many, `x${many}b`, `"${many}`, `(${many}`, `a;b=${many}c`]) {
        const { user } = process.cpuUsage()
        read(text)
        const ms = (process.cpuUsage().user - user) / 1000
        assert.ok(ms < MOST_MS, `${JSON.stringify(text.slice(0, 30))}: ${ms} ms`)
      }
    }
  })
}
