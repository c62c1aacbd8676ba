import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load, short, town } from '../../test/kit/smtp-town.ts'
import type { Sender } from '../mail/envelope.ts'
import type { EightBit } from '../route/route.ts'
import { isLent, type Lent, type Source } from '../wire/effect.ts'
import { Fitting } from './fitting.ts'
import type { Load } from './transport.ts'

const sevenText = 'A: 1\r\n\r\nhello\r\n'
const eightText = 'A: 1\r\n\r\nh\xe9llo\r\n'
const utf8Header = 'Subject: h\xc3\xa9llo\r\n\r\nhello\r\n'
const long = `A: 1\r\n\r\n${'x'.repeat(1000)}\r\n`
const nul = 'Content-Type: application/x\r\n\r\n\0\n'
const signed =
  'Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nh\xe9llo\r\n--b\r\n\r\nx\r\n--b--\r\n'
const labelled = 'Content-Transfer-Encoding: binary\r\n\r\nhello\r\n'

const none = ''
const eight = '8BITMIME'
const all = '8BITMIME BINARYMIME CHUNKING'

/** Name, content, how it came, what the hop offers, and what it gets: BODY and what was done. */
const rows: readonly (readonly [string, string, Partial<Sender>, string, string, EightBit?])[] = [
  ['7-bit mail', sevenText, {}, none, '7BIT as it is'],
  ['7-bit mail said to be 8-bit', sevenText, { body: '8BITMIME' }, eight, '8BITMIME as it is'],
  ['8-bit mail', eightText, { body: '8BITMIME' }, eight, '8BITMIME as it is'],
  ['8-bit mail that does not say so', eightText, {}, eight, '8BITMIME as it is'],
  ['8-bit mail for a hop without', eightText, { body: '8BITMIME' }, none, '7BIT converted'],
  ['8-bit mail that does not say so, for one without', eightText, {}, none, '7BIT converted'],
  ['8-bit mail to be sent anyway', eightText, {}, none, '8BITMIME as it is', 'send-anyway'],
  ['a raw 8-bit header', utf8Header, {}, none, '7BIT converted'],
  ['a raw 8-bit header, anyway', utf8Header, {}, none, '8BITMIME as it is', 'send-anyway'],
  ['a UTF-8 header', utf8Header, { utf8: true }, 'SMTPUTF8', '8BITMIME as it is'],
  ['UTF-8 mail', eightText, { utf8: true }, 'SMTPUTF8 8BITMIME', '8BITMIME as it is'],
  ['a long line', long, {}, eight, '7BIT converted'],
  ['a long line, anyway', long, {}, eight, '7BIT as it is', 'send-anyway'],
  ['a long line for a hop with BINARYMIME', long, {}, all, 'BINARYMIME as it is'],
  ['BINARYMIME', nul, { body: 'BINARYMIME' }, all, 'BINARYMIME as it is'],
  [
    'BINARYMIME for a hop without CHUNKING',
    nul,
    { body: 'BINARYMIME' },
    '8BITMIME BINARYMIME',
    '7BIT converted',
  ],
  ['BINARYMIME anyway', nul, { body: 'BINARYMIME' }, none, '7BIT converted', 'send-anyway'],
  ['binary mail that does not say so', nul, {}, all, 'BINARYMIME as it is'],
  ['BINARYMIME that needs none', sevenText, { body: 'BINARYMIME' }, none, '7BIT as it is'],
  [
    'BINARYMIME that needs no more than 8BITMIME',
    eightText,
    { body: 'BINARYMIME' },
    eight,
    '8BITMIME as it is',
  ],
  ['a label of BINARYMIME', labelled, { body: 'BINARYMIME' }, none, '7BIT converted'],
  ['such a label in other mail', labelled, {}, none, '7BIT as it is'],
  ['signed 8-bit mail', signed, {}, eight, '8BITMIME as it is'],
  [
    'signed 8-bit mail for a hop without',
    signed,
    {},
    none,
    'a part is multipart/signed and must not be changed',
  ],
  ['signed 8-bit mail, anyway', signed, {}, none, '8BITMIME as it is', 'send-anyway'],
] // prettier-ignore

function facts(extensions: string) {
  const names = extensions.split(' ').filter(name => name !== '')
  return { greeting: 'mx', extensions: new Map(names.map(name => [name, ''])) }
}

function parcel(text: string, sender: Partial<Sender>, content?: () => Source): Load {
  const octets = Buffer.from(text, 'latin1')
  const made = load(['b@x.test'])
  return {
    ...made,
    envelope: { ...made.envelope, sender: { ...made.envelope.sender, ...sender } },
    sizeOctets: octets.length,
    content: content ?? (() => octets),
  }
}

async function read(source: Source | Lent): Promise<Buffer> {
  assert.ok(!isLent(source))
  if (source instanceof Uint8Array) return Buffer.from(source)
  const pieces: Uint8Array[] = []
  for await (const octets of source) pieces.push(octets)
  return Buffer.concat(pieces)
}

for (const [name, text, sender, extensions, wanted, eightBit = 'convert'] of rows) {
  test(`${name} (${extensions || 'no extension'}): ${wanted}`, async () => {
    const given = parcel(text, sender)
    const fitted = await new Fitting(given).for(facts(extensions), eightBit)
    if (fitted.kind === 'unfit') {
      assert.equal(fitted.reason, wanted)
      return
    }
    const was = fitted.converted === undefined ? 'as it is' : 'converted'
    assert.equal(`${fitted.body} ${was}`, wanted)
    const content = await read(fitted.content())
    assert.equal(content.length, fitted.sizeOctets, 'the size told is the size sent')
    assert.equal(content.equals(Buffer.from(text, 'latin1')), fitted.converted === undefined)
    if (fitted.converted === undefined) {
      assert.equal(fitted.content(), given.content(), 'nothing is copied')
    }
  })
}

test('a small message is read once, a large one streams, and both come out alike', async () => {
  for (const lines of [3, 20_000]) {
    let reads = 0
    const text = `A: 1\r\n\r\n${'caf\xe9 au lait, s\xfcss\r\n'.repeat(lines)}`
    async function* content() {
      reads += 1
      for (let at = 0; at < text.length; at += 40_000) {
        yield Buffer.from(text.slice(at, at + 40_000), 'latin1')
      }
    }
    const fitting = new Fitting(parcel(text, {}, content))
    for (const extensions of [none, eight, none]) {
      const fitted = await fitting.for(facts(extensions), 'convert')
      assert.ok(fitted.kind === 'fitted' && fitted.crlfOnly)
      const sent = await read(fitted.content())
      assert.equal(sent.length, fitted.sizeOctets)
      if (extensions === eight) assert.equal(sent.toString('latin1'), text)
      else assert.match(sent.toString(), /\r\n\r\n(?:caf=E9 au lait, s=FCss\r\n)+$/)
    }
    if (lines === 3) assert.equal(reads, 1)
  }
})

test('a large message that was seen as it came is not read to be looked at, but to be converted', async () => {
  const head = Buffer.from('Received: x\r\n')
  for (const [word, seen, extensions, wanted, wantedReads] of [
    ['cafe', '7bit', none, '7BIT', 0],
    ['cafe', '7bit', eight, '7BIT', 0],
    ['caf\xe9', '8bit', eight, '8BITMIME', 0],
    ['caf\xe9', '8bit', none, '7BIT converted', 2],
    ['caf\xe9', undefined, eight, '8BITMIME', 1],
  ] as const) {
    let reads = 0
    const text = `${head.toString()}A: 1\r\n\r\n${`${word} au lait\r\n`.repeat(20_000)}`
    async function* content() {
      reads += 1
      yield Buffer.from(text, 'latin1')
    }
    const sender = seen === undefined ? {} : { seen }
    const fitting = new Fitting({ ...parcel(text, sender, content), head })
    const fitted = await fitting.for(facts(extensions), 'convert')
    assert.ok(fitted.kind === 'fitted')
    assert.equal(`${fitted.body}${fitted.converted ? ' converted' : ''}`, wanted)
    assert.equal(reads, wantedReads, `${word} ${seen}`)
    assert.equal((await read(fitted.content())).length, fitted.sizeOctets)
    assert.deepEqual([fitted.crlfOnly, fitted.undotted ?? true], [true, true])
  }
})

test('what stands in front of a body that was seen is looked through, and a broken line takes its word away', async () => {
  for (const [head, body, wantedReads] of [
    ['X: y\r\n', '7BIT', 0],
    ['X: \xe9\r\n', '8BITMIME', 0],
    // A survey looks for what is to be changed; a field is not.
    [`X: ${'x'.repeat(1000)}\r\n`, '7BIT', 1],
    ['X: y', '7BIT', 1],
  ] as const) {
    let reads = 0
    const text = `${head}A: 1\r\n\r\n${'hello\r\n'.repeat(40_000)}`
    async function* content() {
      reads += 1
      yield Buffer.from(text, 'latin1')
    }
    const given = parcel(text, { seen: '7bit' }, content)
    const fitting = new Fitting({ ...given, head: Buffer.from(head, 'latin1') })
    const fitted = await fitting.for(facts(eight), 'convert')
    assert.ok(fitted.kind === 'fitted')
    assert.equal(`${fitted.body}${fitted.converted ? ' converted' : ''}`, body)
    assert.equal(reads, wantedReads, head)
  }
})

test('a signature that breaks is seen in the log, and the hop is told the true size', async () => {
  const { carry, servers, internet } = await town([{ extensions: ['SIZE 100000'] }])
  const text = `DKIM-Signature: v=1\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=x\r\n\r\n${'\xe9a\r\n'.repeat(9)}`
  assert.equal(short(await carry(parcel(text, { body: '8BITMIME' }))), 'delivered 2.0.0 mx0.test')
  const [message] = servers[0]?.messages ?? []
  assert.equal(
    message,
    text
      .replace('\r\n\r\n', '\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n')
      .replaceAll('\xe9', '=E9'),
  )
  assert.ok(servers[0]?.lines.includes(`MAIL FROM:<a@us.test> SIZE=${message?.length}`))
  const seen = internet.log.find(({ event }) => event === 'message-converted')
  assert.deepEqual(seen?.facts, { message: 'm1', host: 'mx0.test', to: '7bit', signed: true })
})

test('what must not be changed and cannot go comes back as 5.6.3, and costs no connection', async () => {
  const { carry, servers } = await town([{}, {}])
  const { outcomes } = await carry(parcel(signed, { body: '8BITMIME' }))
  assert.deepEqual(outcomes, [
    {
      kind: 'failed',
      status: '5.6.3',
      reason:
        'mx0.test cannot take the message as it is, and a part is multipart/signed and must not be changed',
      host: 'mx0.test',
      address: '198.51.100.1',
    },
  ])
  assert.equal(short(await carry(parcel(sevenText, {}))), 'delivered 2.0.0 mx0.test')
  assert.equal(servers[0]?.connections, 1)
  assert.equal(servers[1]?.connections, 0)
})
