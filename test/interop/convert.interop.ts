/**
 * Mail for next hops that take no 8-bit octets: smtp-sink and a real Postfix without 8BITMIME, read
 * by Python's email package. And BINARYMIME: re-encoded for Postfix, which has none, kept as it is
 * for a mailbox here. Postfix takes large mail by chunks.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { becomes, post } from './letter.ts'
import { belowTrace, takeOne } from './mailbox.ts'
import { endPostfixes, type Postfix, startPostfix } from './postfix.ts'
import { lacks, run, until } from './program.ts'
import { endSinks, startSink } from './sink.ts'

const skip = lacks('postfix', 'python3', 'root', 'smtp-sink')
let ours: Server
/** Next hops: Postfix without 8BITMIME, and as it usually is. */
let seven: Postfix
let usual: Postfix

const CONFIG = `import { defineConfig } from 'postrider'
export default defineConfig({
  hooks: {
    route: ({ domain }) => {
      const port = Number(/^p([0-9]+)[.]remote[.]test$/.exec(domain)?.[1])
      return port ? { kind: 'smarthost', host: '127.0.0.1', port, tls: 'never' } : undefined
    },
  },
})
`

before(async () => {
  if (skip) return
  const config = join(newFolder('config'), 'postrider.config.ts')
  writeFileSync(config, CONFIG)
  const main = {
    virtual_mailbox_domains: 'static:all',
    virtual_mailbox_limit: '0',
    message_size_limit: '60000000',
  }
  seven = await startPostfix({ main: { ...main, smtpd_discard_ehlo_keywords: '8bitmime' } })
  usual = await startPostfix({ main })
  ours = await startServer({
    config,
    set: { 'log.level': 'debug', 'limits.perAddress': 1000, 'outbound.idle': '300ms' },
  })
})
after(async () => {
  endPostfixes()
  endSinks()
  if (!skip) {
    assert.deepEqual(ours.faults(), [])
    await ours.stop()
  }
  clear()
})

interface Parts {
  readonly subject: string
  readonly ascii: boolean
  readonly leaves: readonly {
    readonly type: string
    readonly charset: string | null
    readonly encoding: string
    readonly octets: string
  }[]
}

async function parts(message: string): Promise<Parts> {
  const script = fileURLToPath(new URL('read-parts.py', import.meta.url))
  const ran = await run('python3', [script], { input: Buffer.from(message, 'latin1') })
  assert.equal(ran.code, 0, `${ran.text}\n${message.slice(0, 2000)}`)
  return JSON.parse(ran.text) as Parts
}

const hex = (text: string | Buffer) => Buffer.from(text as string, 'latin1').toString('hex')
const text = 'Gr\xfc\xdfe aus K\xf6ln\r\n-- \r\n.\r\nFrom mir\r\n'
const picture = Buffer.from(Array.from({ length: 1000 }, (_, at) => (at * 7) % 256))

/** A message with 8-bit text, a picture as it is, and a message in it. */
function letter(subject: string): Buffer {
  const head = `From: ${ours.account(0).address}\r\nSubject: ${subject}\r\nMIME-Version: 1.0\r\n`
  const lines = (...all: readonly string[]) => Buffer.from(all.join('\r\n'), 'latin1')
  const latin1 = 'Content-Type: text/plain; charset=iso-8859-1'
  return Buffer.concat([
    Buffer.from(head),
    lines(
      'Content-Type: multipart/mixed; boundary="=_b"',
      'Content-Transfer-Encoding: binary',
      '',
      '',
    ),
    lines('--=_b', latin1, 'Content-Transfer-Encoding: 8bit', '', `${text}`),
    lines('', '--=_b', 'Content-Type: image/png', 'Content-Transfer-Encoding: binary', '', ''),
    picture,
    lines('', '--=_b', 'Content-Type: message/rfc822', '', 'Subject: in', 'MIME-Version: 1.0', ''),
    lines(latin1, '', 'Sch\xf6n', '--=_b--', ''),
  ])
}

const expected = [
  ['text/plain', hex(text)],
  ['image/png', hex(picture)],
  ['text/plain', hex('Sch\xf6n')],
]

function arrived(at: Postfix, subject: string): Promise<string> {
  return until(`${subject} at Postfix`, () =>
    at.messages().find(message => new RegExp(`^Subject: ${subject}\r$`, 'm').test(message)),
  )
}

const decoded = ({ leaves }: Parts) => leaves.map(({ type, octets }) => [type, octets])

test('8-bit mail reaches a Postfix without 8BITMIME in seven bits', { skip }, async () => {
  const content = `From: ${ours.account(0).address}\r\nSubject: eight\r\n\r\n${text}`
  const to = `joe@p${seven.port}.remote.test`
  for (const mail of ['BODY=8BITMIME', '']) {
    const subject = `eight${mail.length}`
    const octets = Buffer.from(content.replace('eight', subject), 'latin1')
    const id = await post(ours, { to: [to], content: octets, mail })
    await becomes(ours, id, to, 'relayed')
    const read = await parts(await arrived(seven, subject))
    assert.equal(read.ascii, true)
    assert.deepEqual(read.leaves, [
      {
        type: 'text/plain',
        charset: 'unknown-8bit',
        encoding: 'quoted-printable',
        octets: hex(text),
      },
    ])
  }
})

test('BINARYMIME is re-encoded for a Postfix with and without 8BITMIME', { skip }, async () => {
  for (const [hop, encodings] of [
    [seven, ['quoted-printable', 'base64', 'quoted-printable']],
    [usual, ['8bit', 'base64', '7bit']],
  ] as const) {
    const to = `joe@p${hop.port}.remote.test`
    const content = letter('binary')
    const id = await post(ours, { to: [to], content, mail: 'BODY=BINARYMIME', chunked: true })
    await becomes(ours, id, to, 'relayed')
    const read = await parts(await arrived(hop, 'binary'))
    assert.equal(read.ascii, hop === seven)
    assert.deepEqual(decoded(read), expected)
    const was = read.leaves.map(({ encoding }) => encoding)
    assert.deepEqual(was, encodings)
  }
})

test('BINARYMIME for a mailbox here stays as it is', { skip }, async () => {
  const content = letter('binary here')
  const to = ours.account(1).address
  await post(ours, { to: [to], content, mail: 'BODY=BINARYMIME', chunked: true })
  const message = Buffer.from(await takeOne(ours, ours.account(1)), 'latin1')
  assert.ok(belowTrace(message).includes(picture))
  assert.ok(message.includes(Buffer.from(text, 'latin1')))
})

test('smtp-sink without 8BITMIME gets seven bits, and signed mail comes back', {
  skip,
}, async () => {
  const sink = await startSink(['-8'])
  const to = `joe@p${sink.port}.remote.test`
  const id = await post(ours, {
    to: [to],
    content: letter('sunk'),
    mail: 'BODY=BINARYMIME',
    chunked: true,
  })
  await becomes(ours, id, to, 'relayed')
  const [message = ''] = sink.messages()
  assert.match(message, /^X-Mail-Args: <[^>]*> ?(?:SIZE=\d+)?\r?$/m)
  const signed = [
    `From: ${ours.account(0).address}`,
    'Subject: signed',
    'Content-Type: multipart/signed; boundary=s',
    '',
    '--s',
    'Content-Type: text/plain; charset=iso-8859-1',
    '',
    'Gr\xfc\xdfe',
    '--s',
    'Content-Type: application/pgp-signature',
    '',
    'x',
    '--s--',
    '',
  ].join('\r\n')
  const refused = await post(ours, { to: [to], content: Buffer.from(signed, 'latin1') })
  assert.equal((await becomes(ours, refused, to, 'failed')).status, '5.6.3')
  const notice = await takeOne(ours)
  assert.match(notice, /^Status: 5\.6\.3\r$/m)
  assert.equal(sink.messages().length, 1)
  await sink.stop()
})

test('Postfix takes a large message by chunks', { skip }, async () => {
  const to = `joe@p${usual.port}.remote.test`
  const body = `${'x'.repeat(70)}\r\n`.repeat(40_000)
  const content = `From: ${ours.account(0).address}\r\nSubject: large\r\n\r\n${body}`
  const id = await post(ours, { to: [to], content })
  await becomes(ours, id, to, 'relayed')
  const message = await arrived(usual, 'large')
  assert.equal(message.slice(message.indexOf('\r\n\r\n') + 4), body)
  // Of 2.88 MB in chunks of 512 KB; Postfix counts them when we leave.
  await until('six chunks', () =>
    /disconnect from .* bdat=6 /.test(usual.log()) ? true : undefined,
  )
})
