/**
 * Messages: header, addresses, encoded-words, the MIME tree and what is told of it, notices, and a message made
 * for a hop that cannot take it. Everything the server does with octets of a peer, without a peer.
 */
import assert from 'node:assert/strict'
import { formatEnvelope, formatStructure } from '../../../src/imap/structure.ts'
import { formatAddress } from '../../../src/mail/address.ts'
import {
  formatAddressList,
  parseAddressList,
  parseRawAddressList,
} from '../../../src/message/address-list.ts'
import { baseSubject } from '../../../src/message/base-subject.ts'
import {
  authorsOf,
  headerFault,
  missingFields,
  rangesOf,
  seam,
} from '../../../src/message/complete.ts'
import { compose } from '../../../src/message/compose.ts'
import { parametersOf, parseContentType } from '../../../src/message/content-type.ts'
import { formatNotice } from '../../../src/message/dsn.ts'
import { decodeWords, encodeParameter, encodeWords } from '../../../src/message/encoded-word.ts'
import { envelopeOf } from '../../../src/message/envelope.ts'
import { finished } from '../../../src/message/gradual.ts'
import { scanHeader } from '../../../src/message/header.ts'
import { decodeQuotedPrintable } from '../../../src/message/quoted-printable.ts'
import { rewriting } from '../../../src/message/rewrite.ts'
import { sectionSpan } from '../../../src/message/section.ts'
import type { Part } from '../../../src/message/structure.ts'
import { StructureScanner } from '../../../src/message/structure-scan.ts'
import { Surveyor, type Wanted } from '../../../src/message/survey.ts'
import { THREAD_ALGORITHMS, threadFactsOf, threading } from '../../../src/message/thread.ts'
import { latin1, pick, some, type Target } from '../lab/target.ts'

import { addresses, small, whole, words } from './letter.ts'

const header: Target = {
  name: 'header',
  seeds: small,
  words,
  make: whole,
  run: octets => {
    const found = scanHeader(octets)
    let at = found.from
    for (const field of found.fields) {
      assert.equal(field.from, at)
      assert.ok(
        field.from < field.valueFrom && field.valueFrom <= field.to && field.to <= field.next,
      )
      assert.doesNotMatch(found.text(field), /[\r\n\0]/)
      at = field.next
    }
    headerFault(found)
    authorsOf(found)
    rangesOf(found, ['bcc'])
    const facts = [threadFactsOf(1, found, 0), threadFactsOf(2, found, 1)]
    for (const algorithm of THREAD_ALGORITHMS) finished(threading(facts, algorithm))
    const told = formatEnvelope(envelopeOf(found), false)
    assertBalanced(told)
    const completion = { hostname: 'h.example', timeMs: 0, id: 'x' }
    const added = missingFields(found, completion) + seam(found)
    const again = scanHeader(Buffer.concat([Buffer.from(added), octets]))
    const names = again.fields.map(({ name }) => name).join(' ')
    assert.ok(names.endsWith(found.fields.map(({ name }) => name).join(' ')))
    return told.length + added.length
  },
}

const address: Target = {
  name: 'address-list',
  seeds: () =>
    [...addresses, '=?utf-8?q?a?= <a@b>', 'undisclosed: ;', '"\\"" <"a b"@[1.2.3.4]>'].map(latin1),
  words: [...addresses, '<', '>', '"', '(', ')', '\\', ':', ';', ',', '@', '[', ']', '=?utf-8?q?'],
  make: random => latin1(some(random, 1, 4, () => `${pick(random, addresses)}, `)),
  run: input => {
    let out = 0
    for (const text of [input.toString('latin1'), input.toString()]) {
      parseRawAddressList(text)
      const { entries, mailboxes, fault } = parseAddressList(text)
      for (const { address: each } of mailboxes) {
        assert.doesNotMatch(formatAddress(each), /[\u0000-\u001f\u007f]/)
      }
      if (fault !== undefined) continue
      const written = formatAddressList(entries)
      assert.doesNotMatch(written, /[\r\n\0]/)
      const again = parseAddressList(written)
      assert.equal(again.fault, undefined, written)
      assert.deepEqual(
        again.mailboxes.map(({ address: each }) => each),
        mailboxes.map(({ address: each }) => each),
      )
      out += written.length
    }
    return out
  },
}

const encodedWords: Target = {
  name: 'encoded-words',
  seeds: () =>
    [
      '=?utf-8?q?=C3=A9_b?= =?utf-8?b?w6k=?=',
      'plain',
      '\xe9',
      "a; b*0*=utf-8''%c3; b*1=x",
      'Re: [a] x',
    ].map(latin1),
  words: [
    '=?',
    '?=',
    '=?utf-8?q?',
    '=?iso-2022-jp?b?',
    '?b?',
    '_',
    '=',
    '%',
    "''",
    '*0*=',
    ';',
    'Re:',
    '(fwd)',
  ],
  run: input => {
    let out = 0
    for (const text of [input.toString('latin1'), input.toString()]) {
      const decoded = decodeWords(text)
      baseSubject(decoded)
      const encoded = encodeWords(text)
      assert.match(encoded, /^[\x20-\x7e]*$/)
      for (const word of encoded.split(' ')) assert.ok(word.length <= 75, word)
      // A header line holds no control character, decoded or not.
      const held = text.toWellFormed().replace(/[\u0000-\u001f\u007f\u2028\u2029]/g, ' ')
      if (encoded !== '') assert.equal(decodeWords(encoded), held)
      const pieces = encodeParameter('name', text)
      for (const piece of pieces) assert.match(piece, /^[\x20-\x7e]{1,90}$/)
      parseContentType(text)
      parametersOf(text)
      const qp = decodeQuotedPrintable(input)
      assert.ok(qp.length <= input.length)
      out += decoded.length + encoded.length + pieces.join('').length
    }
    return out
  },
}

const structure: Target = {
  name: 'structure',
  seeds: () => [
    ...small(),
    latin1('Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n'),
  ],
  words,
  make: whole,
  outputRatio: 400,
  run: (octets, random) => {
    const scan = (size: number) => {
      const scanner = new StructureScanner()
      for (let at = 0; at < octets.length; at += size) scanner.push(octets.subarray(at, at + size))
      return scanner.finish()
    }
    const root = scan(Math.max(1, octets.length))
    // To go octet by octet through much is slow, and shows nothing more.
    const cut = octets.length > 10_000 ? 1000 + random.below(5000) : 1 + random.below(50)
    assert.deepEqual(scan(cut), root, 'cuts do not matter')
    assertWithin(root, 0, octets.length)
    const told = formatStructure(root, true, false)
    assertBalanced(told)
    formatStructure(root, false, true)
    for (const part of [[], [1], [1, 1], [2], [1, 2, 1]]) {
      for (const text of ['', 'HEADER', 'TEXT', 'MIME'] as const) {
        const span = sectionSpan(root, part, text)
        if (span) assert.ok(span.from <= span.to && span.to <= octets.length)
      }
    }
    return told.length
  },
}

function assertWithin(part: Part, from: number, to: number): void {
  const { headerFrom, bodyFrom, bodyTo } = part
  assert.ok(from <= headerFrom && headerFrom <= bodyFrom && bodyFrom <= bodyTo && bodyTo <= to)
  if (part.kind === 'multi') for (const each of part.parts) assertWithin(each, bodyFrom, bodyTo)
  else if (part.message) assertWithin(part.message.root, bodyFrom, bodyTo)
}

/** Parentheses and strings of an answer of IMAP; without an open line. */
export function assertBalanced(text: string): void {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '"') {
      for (at++; text[at] !== '"'; at++) {
        assert.ok(at < text.length, 'a string without end')
        assert.doesNotMatch(text[at] ?? '', /[\r\n\0]/)
        if (text[at] === '\\') at++
      }
    } else if (char === '{') {
      const [all = '', size = ''] = /^\{(\d+)\}\r\n/.exec(text.slice(at, at + 20)) ?? []
      assert.notEqual(all, '', `no literal at ${text.slice(at, at + 20)}`)
      at += all.length + Number(size) - 1
    } else if (char === '(') depth += 1
    else if (char === ')') depth -= 1
    else assert.doesNotMatch(char ?? '', /[\r\n\0]/)
    assert.ok(depth >= 0)
  }
  assert.equal(depth, 0)
}

const hops: readonly Wanted[] = [
  { most: '7bit', binary: true, shortLines: true },
  { most: '7bit', binary: false, shortLines: true },
  { most: '8bit', binary: true, shortLines: true },
]

const convert: Target = {
  name: 'convert',
  seeds: small,
  words,
  make: whole,
  run: (octets, random) => {
    const hop = pick(random, hops)
    const step = octets.length > 10_000 ? 3000 : 1 + random.below(100)
    const pieces = (whole: Buffer, size: number) =>
      Array.from({ length: Math.ceil(whole.length / size) }, (_, n) =>
        whole.subarray(n * size, (n + 1) * size),
      )
    const made = (whole: Buffer, size: number): Buffer | undefined => {
      const surveyor = new Surveyor(hop)
      for (const piece of pieces(whole, size)) surveyor.push(piece)
      const survey = surveyor.survey()
      if (survey.kind === 'impossible') return undefined
      if (survey.kind === 'fits') return whole
      const transform = rewriting(survey)
      return Buffer.concat([
        ...pieces(whole, size).map(piece => transform.push(piece)),
        transform.end(),
      ])
    }
    const converted = made(octets, Math.max(1, octets.length))
    assert.deepEqual(made(octets, step), converted, 'cuts do not matter')
    if (converted === undefined) return 0
    assert.equal(converted.includes(0), false)
    assert.deepEqual(made(converted, step), converted, 'once is enough')
    return converted.length
  },
}

const notice: Target = {
  name: 'notice',
  seeds: small,
  words,
  make: whole,
  outputRatio: 20,
  run: (octets, random) => {
    const text = octets.toString(pick(random, ['latin1', 'utf8']))
    const { octets: made } = formatNotice({
      hostname: 'h.example',
      timeMs: 0,
      id: 'x',
      sender: { local: 'a', domain: 'b.example' },
      arrivalMs: 0,
      envelopeId: text.slice(0, 90),
      original: {
        prefix: octets,
        sizeOctets: octets.length,
        body: '8BITMIME',
        utf8: random.below(2) === 0,
      },
      recipients: [
        {
          address: { local: text.slice(0, 60), domain: 'd.example' },
          action: pick(random, ['failed', 'delayed', 'delivered', 'relayed', 'expanded']),
          status: '5.1.1',
          reason: text,
          reply: { code: 550, lines: [text] },
          originalRecipient: { type: 'rfc822', address: text.slice(0, 60) },
          remote: { name: text.slice(0, 60), address: text.slice(0, 20) },
        },
      ],
    })
    const lines = Buffer.from(made).toString('latin1').split('\r\n')
    for (const line of lines) assert.ok(line.length <= 998 && !/[\r\n\0]/.test(line))
    const found = scanHeader(made)
    assert.equal(found.end, 'blank line')
    for (const name of ['from', 'to', 'subject', 'date', 'message-id', 'content-type']) {
      assert.equal(found.count(name), 1, name)
    }
    const scanner = new StructureScanner()
    scanner.push(made)
    const root = scanner.finish()
    assert.ok(root.kind === 'multi' && root.subtype === 'report')
    assert.equal(root.parts.length, 3, 'text, status and what it is about')
    const status = root.parts[1]
    if (status !== undefined) {
      const groups = Buffer.from(made)
        .toString('latin1', status.bodyFrom, status.bodyTo)
        .trim()
        .split('\r\n\r\n')
      assert.equal(groups.length, 2, 'one group for the message, one for the recipient')
      assert.equal(groups[1]?.match(/^Final-Recipient:/gm)?.length, 1)
      assert.equal(groups[1]?.match(/^Action:/gm)?.length, 1)
    }
    return made.length
  },
}

const composed: Target = {
  name: 'compose',
  seeds: () => ['Hello\n.\nFrom me\n', '\xe9', 'a'.repeat(2000), 'x\0y'].map(latin1),
  words: ['\n', '\r', '.', 'From ', '\xe9', '--', '"', '\\', '=?'],
  run: (input, random) => {
    const text = input.toString(pick(random, ['latin1', 'utf8']))
    const made = compose({
      from: [{ name: text.slice(0, 80), address: { local: 'joe', domain: 'example.org' } }],
      to: [{ name: text.slice(0, 50), address: { local: 'ann', domain: 'example.org' } }],
      subject: text.slice(0, 200),
      text,
      attachments: [{ filename: text.slice(0, 100), content: input }],
      dateMs: 0,
      messageId: '<x@h.example>',
    })
    if (made.kind === 'refused') return made.reason.length
    const octets = Buffer.from(made.octets)
    assert.equal(scanHeader(octets).count('from'), 1)
    assert.equal(scanHeader(octets).count('subject'), 1)
    for (const line of octets.toString('latin1').split('\r\n'))
      assert.doesNotMatch(line, /[\r\n\0]/)
    return octets.length
  },
}

export const messageTargets: readonly Target[] = [
  header,
  address,
  encodedWords,
  structure,
  convert,
  notice,
  composed,
]
