/**
 * The message room against the corpus and against mutations of it: nothing throws, offsets stay in
 * bounds, another reader finds the same header, and every notice about any message is legal.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import PostalMime from 'postal-mime'
import { parseAddressList } from '../../src/message/address-list.ts'
import {
  authorsOf,
  headerFault,
  missingFields,
  rangesOf,
  seam,
} from '../../src/message/complete.ts'
import { formatNotice } from '../../src/message/dsn.ts'
import { decodeWords } from '../../src/message/encoded-word.ts'
import { type Header, scanHeader } from '../../src/message/header.ts'
import { parseDate } from '../../src/wire/date.ts'
import { readCorpus } from '../corpus/read.ts'

const corpus = readCorpus()

/** What holds of every scanned header, whatever the octets. */
function assertSound(octets: Uint8Array, header: Header): void {
  let at = header.from
  for (const field of header.fields) {
    assert.equal(field.from, at, 'fields follow one another without a gap')
    assert.ok(field.from < field.valueFrom && field.valueFrom <= field.to && field.to <= field.next)
    assert.doesNotMatch(header.text(field), /[\r\n\0]/)
    at = field.next
  }
  assert.ok(header.bodyFrom >= at && header.bodyFrom <= octets.length)
}

/** Everything the accept path and a notice do with octets of a peer. */
function exercise(octets: Uint8Array): void {
  const header = scanHeader(octets)
  assertSound(octets, header)
  headerFault(header)
  authorsOf(header)
  rangesOf(header, ['bcc'])
  missingFields(header, { hostname: 'h.example', timeMs: 0, id: 'x' })
  for (const name of ['from', 'to', 'cc']) parseAddressList(header.first(name) ?? '')
  decodeWords(header.first('subject') ?? '')
  parseDate(header.first('date') ?? '')
  const notice = formatNotice({
    hostname: 'h.example',
    timeMs: 0,
    id: 'x',
    sender: { local: 'a', domain: 'b.example' },
    arrivalMs: 0,
    original: { prefix: octets, sizeOctets: octets.length, body: '8BITMIME', utf8: true },
    recipients: [
      { address: { local: 'c', domain: 'd' }, action: 'failed', status: '5.1.1', reason: 'no' },
    ],
  })
  for (const line of Buffer.from(notice.octets).toString('latin1').split('\r\n')) {
    assert.ok(line.length <= 998)
    assert.doesNotMatch(line, /[\r\n\0]/)
  }
}

for (const { name, octets } of corpus) {
  test(`${name} is read and reported soundly`, () => exercise(octets))
}

/** Where another reader may differ: an mbox line, a bare CR, a line that is no field. */
const DISPUTED = new Set([
  'enmime/bad-header-wrap.raw',
  'enmime/bad-header-start.raw',
  'enmime/erroneous.raw',
  'enmime/empty-header.raw',
  'own/mbox-line.eml',
  'own/bare-cr.eml',
  'own/only-body-line.eml',
  'python/msg_19.txt',
  'python/msg_25.txt',
  'python/msg_35.txt',
  'python/msg_43.txt',
])

for (const { name, octets } of corpus) {
  if (DISPUTED.has(name)) continue
  test(`${name} has the fields another reader finds`, async () => {
    const mail = await PostalMime.parse(octets, { maxNestingDepth: 500 })
    const names = mail.headers.map(header => header.key)
    const ours = scanHeader(octets).fields.map(field => field.name)
    assert.deepEqual(ours, names)
  })
}

test('prepending what is missing leaves every field and the body where they were', () => {
  for (const { name, octets } of corpus) {
    const header = scanHeader(octets)
    const text = missingFields(header, { hostname: 'h.example', timeMs: 0, id: 'x' }) + seam(header)
    const whole = Buffer.concat([Buffer.from(text), octets])
    const again = scanHeader(whole)
    const added = again.fields.length - header.fields.length
    assert.deepEqual(
      again.fields.slice(added).map(field => [field.name, again.text(field)]),
      header.fields.map(field => [field.name, header.text(field)]),
      name,
    )
    assert.deepEqual(whole.subarray(again.bodyFrom), octets.subarray(header.bodyFrom), name)
  }
})

test('mutated messages are read and reported soundly', () => {
  const splice = fc.constantFrom(
    '\r\n',
    '\n',
    '\r',
    '\0',
    ':',
    ' ',
    '(',
    '"',
    '<',
    '=?',
    '\xff',
    ',',
  )
  const edits = fc.array(fc.tuple(fc.nat(5000), fc.nat(20), splice), { minLength: 1, maxLength: 8 })
  const small = corpus.filter(sample => sample.octets.length < 8000)
  fc.assert(
    fc.property(fc.constantFrom(...small), edits, ({ octets }, changes) => {
      let text = octets.toString('latin1')
      for (const [at, length, insert] of changes) {
        const from = text.length === 0 ? 0 : at % text.length
        text = text.slice(0, from) + insert + text.slice(from + length)
      }
      exercise(Buffer.from(text, 'latin1'))
    }),
    { numRuns: 300 },
  )
})

test('any octets at all are read and reported soundly', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), octets => exercise(octets)))
})
