/**
 * Messages made for next hops that cannot take them: whatever the message, another reader finds the
 * same parts with the same octets in what we send, the hop can take it, and it is converted once.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import PostalMime from 'postal-mime'
import { Gauge } from '../../src/message/gauge.ts'
import { rewriting } from '../../src/message/rewrite.ts'
import { type Survey, Surveyor, type Wanted } from '../../src/message/survey.ts'
import { asText, readCorpus } from '../corpus/read.ts'

const cutting = fc.constantFrom(1, 3, 17, 100, 1e9)

function survey(octets: Uint8Array, wanted: Wanted, cut = 1e9): Survey {
  const surveyor = new Surveyor(wanted)
  for (let at = 0; at < octets.length; at += cut) surveyor.push(octets.subarray(at, at + cut))
  return surveyor.survey()
}

/** The message as it leaves, or why it does not. */
function convert(octets: Uint8Array, wanted: Wanted, cut = 1e9): Buffer | string {
  const done = survey(octets, wanted, cut)
  if (done.kind === 'impossible') return done.reason
  if (done.kind === 'fits') return Buffer.from(octets)
  const rewriter = rewriting(done)
  const out: Buffer[] = []
  for (let at = 0; at < octets.length; at += cut) {
    out.push(Buffer.from(rewriter.push(octets.subarray(at, at + cut))))
  }
  out.push(Buffer.from(rewriter.end()))
  return Buffer.concat(out)
}

function gauge(octets: Uint8Array): Gauge {
  const made = new Gauge()
  made.push(octets)
  return made.end()
}

// Messages of which we know every part.

interface Leaf {
  readonly type: string
  readonly octets: Buffer
}

interface Made {
  readonly root: Node
  readonly octets: Buffer
  readonly leaves: readonly Leaf[]
}

const word = fc.constantFrom('word', 'caf\xe9', ' ', '=', '--', '.', 'From ', '\t', 'x'.repeat(90))
const line = fc.array(word, { minLength: 1, maxLength: 6 }).map(words => words.join(''))
/** Text whose lines end in CRLF; a boundary is never in it. */
const text = fc.array(line, { minLength: 1, maxLength: 6 }).map(all => ({
  type: 'text/plain; charset=iso-8859-1',
  octets: Buffer.from(all.join('\r\n'), 'latin1'),
}))
const long = fc.integer({ min: 900, max: 1200 }).map(length => ({
  type: 'text/html; charset=us-ascii',
  octets: Buffer.from(`${'y'.repeat(length)}\r\n`),
}))
const data = fc.uint8Array({ minLength: 1, maxLength: 200 }).map(octets => ({
  type: 'application/octet-stream',
  octets: Buffer.from(octets),
}))
const leaf = fc.oneof(text, long, data)

type Node = Leaf | readonly Node[] | { readonly message: Node }

const { node } = fc.letrec<{ node: Node }>(tie => ({
  node: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie('node'), { minLength: 1, maxLength: 3 }),
    tie('node').map(message => ({ message })),
  ),
}))

/** Boundaries that begin with one another are asked for: `b`, `b1`, `b11`. */
function made(root: Node): Made {
  const leaves: Leaf[] = []
  const entity = (one: Node, depth: number): string => {
    if ('octets' in one) {
      leaves.push(one)
      const name = `Content-Disposition: attachment; filename=${leaves.length}`
      const body = one.octets.toString('latin1')
      return `Content-Type: ${one.type}\r\n${name}\r\nContent-Transfer-Encoding: binary\r\n\r\n${body}`
    }
    if ('message' in one) {
      return `Content-Type: message/rfc822\r\n\r\nSubject: in\r\nMIME-Version: 1.0\r\n${entity(one.message, depth)}`
    }
    const boundary = `=_b${'1'.repeat(depth)}`
    const parts = one.map(part => `--${boundary}\r\n${entity(part, depth + 1)}\r\n`)
    return `Content-Type: multipart/mixed; boundary="${boundary}"\r\nContent-Transfer-Encoding: binary\r\n\r\n${parts.join('')}--${boundary}--`
  }
  const whole = `Subject: out\r\nMIME-Version: 1.0\r\n${entity([root], 0)}\r\n`
  return { root, octets: Buffer.from(whole, 'latin1'), leaves }
}

/** RFC 2045 and RFC 2046 by the letter: the leaves of a message whose tree is known. */
function leavesOf(entity: string, node: Node, depth: number): Buffer[] {
  const end = entity.indexOf('\r\n\r\n') + 4
  const [header, body] = [entity.slice(0, end), entity.slice(end)]
  if ('message' in node) return leavesOf(body, node.message, depth)
  if (!('octets' in node)) {
    const line = new RegExp(`\\r\\n--=_b${'1'.repeat(depth)}(?=\\r\\n|--(?:\\r\\n|$))`)
    const parts = `\r\n${body}`.split(line).filter((_, at) => at > 0)
    assert.match(parts.pop() ?? '', /^--/)
    assert.equal(parts.length, node.length)
    return parts.flatMap((part, at) => {
      assert.match(part, /^\r\n/)
      return leavesOf(part.slice(2), node[at] as Node, depth + 1)
    })
  }
  if (/^Content-Transfer-Encoding: base64\r$/m.test(header)) return [Buffer.from(body, 'base64')]
  if (!/^Content-Transfer-Encoding: quoted-printable\r$/m.test(header)) {
    return [Buffer.from(body, 'latin1')]
  }
  const hex = (_: string, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))
  const joined = body.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, hex)
  return [Buffer.from(joined, 'latin1')]
}

/** What another reader finds: each attachment. Of what is not encoded it keeps lines, not octets. */
async function read(octets: Buffer): Promise<string[]> {
  const message = await PostalMime.parse(octets, { attachmentEncoding: 'arraybuffer' })
  return message.attachments.map(({ content }) => lined(Buffer.from(content as ArrayBuffer)))
}

function lined(octets: Buffer): string {
  return octets.toString('latin1').replace(/\r\n/g, '\n').replace(/\n+$/, '')
}

const wants = fc.constantFrom<Wanted>(
  { most: '7bit', binary: true, shortLines: true },
  { most: '8bit', binary: true, shortLines: true },
)

test('every part comes out as it went in, and the hop can take it', async () => {
  await fc.assert(
    fc.asyncProperty(
      node.map(made),
      wants,
      cutting,
      async ({ root, octets, leaves }, wanted, cut) => {
        const converted = convert(octets, wanted, cut)
        if (typeof converted === 'string') assert.fail(converted)
        assert.deepEqual(converted, convert(octets, wanted), 'cuts do not matter')
        const given = leaves.map(each => each.octets)
        assert.deepEqual(leavesOf(converted.toString('latin1').slice(0, -2), [root], 0), given)
        assert.deepEqual(await read(converted), given.map(lined))
        const { eightBit, bareLineEnds, nul, longLine } = gauge(converted)
        assert.deepEqual([bareLineEnds, nul, longLine], [0, false, false])
        if (wanted.most === '7bit') assert.equal(eightBit, 0)
        assert.doesNotMatch(converted.toString('latin1'), /^Content-Transfer-Encoding: binary/m)
        assert.equal(survey(converted, wanted).kind, 'fits', 'once is enough')
      },
    ),
    { numRuns: 150 },
  )
})

test('mail of the field has the same parts behind a hop without 8BITMIME', async () => {
  const seven: Wanted = { most: '7bit', binary: false, shortLines: true }
  let changed = 0
  for (const { name, octets } of readCorpus()) {
    const given = asText(octets)
    const converted = convert(given, seven)
    if (typeof converted === 'string' || converted.equals(given)) continue
    changed += 1
    assert.equal(survey(converted, seven).kind, 'fits', name)
    for (const cut of [7, 1000]) assert.deepEqual(convert(given, seven, cut), converted, name)
    const [before, after] = [await PostalMime.parse(given), await PostalMime.parse(converted)]
    assert.deepEqual(
      after.attachments.map(each => [each.mimeType, each.filename]),
      before.attachments.map(each => [each.mimeType, each.filename]),
      name,
    )
    // Raw octets in a charset that nothing names: that reader takes them for broken UTF-8.
    if (before.subject?.includes('\ufffd') === true) continue
    assert.equal(after.subject, before.subject, name)
  }
  assert.ok(changed >= 5, `${changed}`)
})

test('any octets at all become something that can be sent, or nothing', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '\r\n',
      '\r\n\r\n',
      '\n',
      '\r',
      '\0',
      '\xff',
      '--b',
      '--b\r\n',
      '--b--\r\n',
      'text',
      ': ',
      'Content-Type: multipart/mixed; boundary=b\r\n',
      'Content-Type: message/rfc822\r\n',
      'Content-Type: application/x\r\n',
      'Content-Transfer-Encoding: base64\r\n',
      'Content-Transfer-Encoding: quoted-printable\r\n',
      'Content-Transfer-Encoding: binary\r\n',
      'MIME-Version: 1.0\r\n',
      'z'.repeat(1000),
    ), // prettier-ignore
  )
  const any = fc.array(piece, { maxLength: 25 }).map(all => Buffer.from(all.join(''), 'latin1'))
  fc.assert(
    fc.property(any, wants, fc.boolean(), cutting, (octets, wanted, binary, cut) => {
      const hop = { ...wanted, binary }
      const converted = convert(octets, hop, cut)
      assert.deepEqual(converted, convert(octets, hop))
      if (typeof converted === 'string') return
      assert.equal(convert(converted, hop).toString(), converted.toString())
      assert.equal(gauge(converted).nul, false)
    }),
    { numRuns: 500 },
  )
})
