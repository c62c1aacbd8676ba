/**
 * The same octets read by us and by others: Python's email package reads encoded-words, addresses, headers and the
 * tree of parts; Dovecot tells ENVELOPE and BODYSTRUCTURE. Inputs are the corpus, what the fuzzer has kept
 * and what its grammar makes. Where they differ, the rule that explains it stands here by name; what no
 * rule explains fails. RUNS=20000 for more.
 */
import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { after, before, test } from 'node:test'
import { formatEnvelope, formatStructure } from '../../src/imap/structure.ts'
import { formatAddress } from '../../src/mail/address.ts'
import { parseAddressList } from '../../src/message/address-list.ts'
import { decodeWords } from '../../src/message/encoded-word.ts'
import { envelopeOf } from '../../src/message/envelope.ts'
import { scanHeader } from '../../src/message/header.ts'
import type { Part } from '../../src/message/structure.ts'
import { StructureScanner } from '../../src/message/structure-scan.ts'
import { seededRandom } from '../../src/world/sim/random.ts'
import { readCorpus } from '../corpus/read.ts'
import { bend } from '../fuzz/lab/bend.ts'
import { readKept } from '../fuzz/lab/kept.ts'
import { pick, some } from '../fuzz/lab/target.ts'
import { messageTargets } from '../fuzz/target/message.ts'
import { type Told as Answer, dovecotReads, dovecotTells, readList } from './dovecot-reader.ts'
import { lacks } from './program.ts'

const RUNS = Number(process.env['RUNS'] ?? 300)
const skip = lacks('python3')

interface Told {
  readonly told?: unknown
  readonly failed?: string
}

let python: ChildProcessByStdio<Writable, Readable, null>
const waiting: ((line: string) => void)[] = []

before(() => {
  if (skip) return
  python = spawn('python3', [join(import.meta.dirname, 'read-odd.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  createInterface({ input: python.stdout }).on('line', line => waiting.shift()?.(line))
})
after(() => {
  if (!skip) python.stdin.end()
})

async function ask(kind: string, octets: string): Promise<Told> {
  const answer = new Promise<string>(resolve => waiting.push(resolve))
  python.stdin.write(`${JSON.stringify({ kind, octets })}\n`)
  return JSON.parse(await answer) as Told
}

/** Of all that differs, what no rule explains; `rules` are tried in turn, and each must be needed. */
interface Difference {
  readonly input: string
  readonly ours: unknown
  readonly theirs: unknown
}

function judge(
  differing: readonly Difference[],
  rules: Readonly<Record<string, (input: string, difference: Difference) => boolean>>,
): void {
  const unexplained = differing.filter(
    each => !Object.values(rules).some(explains => explains(each.input, each)),
  )
  const shown = unexplained
    .sort((a, b) => a.input.length - b.input.length)
    .slice(0, 5)
    .map(each => JSON.stringify({ ...each, input: each.input.slice(0, 600) }))
  assert.deepEqual(shown, [], `${unexplained.length} of ${differing.length} differences`)
}

const target = (name: string) => {
  const found = messageTargets.find(each => each.name === name)
  if (found === undefined) throw new Error(name)
  return found
}

/** What the grammar makes, and bends of it. */
function* inputs(name: string): Generator<Buffer> {
  const { make, seeds, words } = target(name)
  yield* readKept(name, false)
  for (let n = 0; n < RUNS; n++) {
    const random = seededRandom(`differences ${name} ${n}`)
    const input = make === undefined ? pick(random, seeds()) : make(random)
    yield n % 2 === 0 ? input : bend(input, random, words)
  }
}

test('encoded-words are decoded as Python decodes them', { skip }, async () => {
  const encoded = [
    '=?utf-8?q?=C3=A9_b?=',
    '=?utf-8?b?w6k=?=',
    '=?iso-8859-1?Q?=E9?=',
    '=?utf-8?Q?a?=',
    '=?utf-8*en?q?x?=',
  ]
  const differing = []
  for (let n = 0; n < RUNS; n++) {
    const random = seededRandom(`words ${n}`)
    const input = some(
      random,
      1,
      5,
      () => `${pick(random, [...encoded, 'plain', 'a=b', '=?', '?='])} `,
    ).trim()
    const { told } = await ask('words', input)
    const ours = decodeWords(input)
    if (told !== undefined && told !== ours) differing.push({ input, ours, theirs: told })
  }
  judge(differing, {})
})

test('addresses are those that Python finds, where the list has no fault', { skip }, async () => {
  const differing = []
  for (const octets of inputs('address-list')) {
    const input = octets.toString('latin1')
    const { mailboxes, fault } = parseAddressList(input)
    if (fault !== undefined) continue
    const { told } = await ask('addresses', input)
    const ours = mailboxes.map(({ address }) => formatAddress(address).toLowerCase())
    const theirs = Array.isArray(told) ? told.map(each => String(each).toLowerCase()) : told
    if (JSON.stringify(ours) !== JSON.stringify(theirs)) differing.push({ input, ours, theirs })
  }
  judge(differing, {
    // RFC 5322 §4.4 obs-addr-list: Python takes no empty place in a list with a group, and then gives nothing at all.
    'an empty place beside a group': (input, { theirs }) =>
      JSON.stringify(theirs) === '[]' && /:/.test(input) && /[,:]\s*(?:,|$)|;,\s*;/.test(input),
  })
})

/** Types with what is within; as Python shows a tree. */
function tree(part: Part): unknown {
  if (part.kind === 'multi') return [`multipart/${part.subtype}`, part.parts.map(tree)]
  return [`${part.type}/${part.subtype}`, part.message ? [tree(part.message.root)] : []]
}

test('a message has the fields and the parts that Python finds', { skip }, async () => {
  const fields = []
  const parts = []
  for (const octets of [...readCorpus().map(each => each.octets), ...inputs('structure')]) {
    if (octets.length > 20_000) continue
    const input = octets.toString('latin1')
    const { told } = await ask('message', input)
    if (told === undefined) continue
    const theirs = told as { tree: unknown; defects: readonly string[]; names: readonly string[] }
    if (theirs.defects.length > 0) continue
    const names = scanHeader(octets).fields.map(({ name }) => name)
    if (JSON.stringify(names) !== JSON.stringify(theirs.names)) {
      fields.push({ input, ours: names, theirs: theirs.names })
      continue
    }
    const scanner = new StructureScanner()
    scanner.push(octets)
    const ours = tree(scanner.finish())
    if (JSON.stringify(ours) !== JSON.stringify(theirs.tree)) {
      parts.push({ input, ours, theirs: theirs.tree })
    }
  }
  // To Python every line end is one; to RFC 5322 §2.2 and us a CR alone is text.
  judge(fields, { 'a CR that stands alone': input => /\r(?!\n)/.test(input) })
  judge(parts, {
    // RFC 2045 §5.1: comments may stand anywhere; nobody means one for a type.
    'a comment before the type': input => /^content-type:\s*\(/im.test(input),
    'a type with blanks in it, which is none': input =>
      /^content-type:[ \t]*[^\s;]+[ \t]+[^\s;]/im.test(input),
    // An attack, or a mistake: message/walker.ts does not look deeper.
    'a nesting of over 64': input => (input.match(/multipart\//g) ?? []).length > 64,
    // RFC 3464 §2.1: groups of fields, which Python gives as messages.
    'a delivery status': input => /message\/delivery-status/i.test(input),
    // RFC 2046 §5.2.1 forbids it; we do not look into what is encoded.
    'a message that is encoded': input =>
      /message\/(?:rfc822|global)/i.test(input) && /^content-transfer-encoding:/im.test(input),
  })
})

/**
 * What both can answer: lines with CRLF, no NUL, no 8-bit in fields (which Dovecot tells as it stands, and we as
 * UTF-8), and MIME-Version, without which Dovecot believes no encoding (RFC 2045 §4).
 */
function asDovecotReads(octets: Buffer): Buffer {
  const text = octets.toString('latin1').replace(/[\0\x80-\xff]/g, '?')
  return Buffer.from(`MIME-Version: 1.0\r\n${text.replace(/\r\n|\r|\n/g, '\r\n')}`)
}

function ourTelling(octets: Buffer): Answer {
  const scanner = new StructureScanner()
  scanner.push(octets)
  const envelope = formatEnvelope(envelopeOf(scanHeader(octets)), false)
  const structure = formatStructure(scanner.finish(), true, false)
  return readList(`(ENVELOPE ${envelope} BODYSTRUCTURE ${structure})`, 0)
}

/** RFC 2045 §5.2: text is US-ASCII where nothing is said; Dovecot says it then beside other parameters, too. */
function withoutCharset(told: Answer | undefined): Answer | undefined {
  if (told === undefined || typeof told === 'string') return told
  const [first, second, parameters, ...rest] = told.map(each => withoutCharset(each) ?? 'nil')
  if (first !== 'text' || typeof second !== 'string' || !Array.isArray(parameters)) {
    return told.map(each => withoutCharset(each) ?? 'nil')
  }
  const at = parameters.findIndex(
    (each, n) => each === 'charset' && parameters[n + 1] === 'us-ascii',
  )
  const left = at < 0 ? parameters : parameters.toSpliced(at, 2)
  return [first, second, left.length === 0 ? 'nil' : left, ...rest]
}

test('ENVELOPE and BODYSTRUCTURE are those that Dovecot tells', {
  skip: !dovecotReads,
}, async () => {
  const messages = Array.from({ length: RUNS }, (_, n) =>
    asDovecotReads(target('structure').make?.(seededRandom(`dovecot ${n}`)) ?? Buffer.alloc(0)),
  )
  const told = await dovecotTells(messages)
  const differing = []
  for (const [n, octets] of messages.entries()) {
    const [ours, theirs] = [ourTelling(octets), told[n]].map(withoutCharset)
    if (theirs === undefined || JSON.stringify(ours) === JSON.stringify(theirs)) continue
    differing.push({ input: octets.toString('latin1'), ours, theirs })
  }
  judge(differing, {
    // RFC 2046 §5.1.1 wants a part at least: to us it is text, to Dovecot a multipart of one empty part.
    'a multipart that nothing divides': (_, { theirs }) =>
      JSON.stringify(theirs).includes('[["text","plain","nil","nil","nil","7bit","0","0"'),
    // RFC 2046 §5.1.2: of two multiparts with one boundary, or a part of one, nobody knows whose a line is.
    'boundaries that begin with one another': input => {
      const all = [...input.matchAll(/boundary="([^"]*)"/g)].map(([, each = '']) => each)
      return all.some((one, n) => all.some((other, m) => n !== m && other.startsWith(one)))
    },
    // Text for a header: to us it is the body, to Dovecot nothing, and the line end before the boundary its own.
    'a message without a header': (_, { theirs }) =>
      /\["message","rfc822",[^[]*\[(?:"nil",?){10}\],\["text","plain",(?:"nil",){3}"7bit","0","0"/.test(
        JSON.stringify(theirs),
      ),
    // RFC 6532 §3.7 is newer than this Dovecot.
    'message/global': input => /message\/global/i.test(input),
    // RFC 5322 §3.6 allows one; Dovecot tells the last, and we the first, as most show it.
    'two fields of one name': input => (input.match(/^(?:subject|date):/gim) ?? []).length > 1,
    // RFC 2046 §5.2.1 forbids it; we do not look into what is encoded.
    'a message that is encoded': input =>
      /message\/(?:rfc822|global)/i.test(input) && /^content-transfer-encoding:/im.test(input),
  })
})
