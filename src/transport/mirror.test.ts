/** Our client against our server, over a network that cuts as it likes. */
import assert from 'node:assert/strict'
import { pbkdf2Sync } from 'node:crypto'
import { test } from 'node:test'
import { parseStoredAddress } from '../mail/address.ts'
import type { BodyKind, Envelope } from '../mail/envelope.ts'
import { accept, refuse } from '../mail/verdict.ts'
import type { Account } from '../sasl/mechanism.ts'
import { sha256, verifierOf } from '../sasl/scram-keys.ts'
import { playedGss } from '../sasl/scripted-gss.ts'
import type { Policy, SessionSettings } from '../smtp/server/question.ts'
import { roleOf } from '../smtp/server/role.ts'
import { ServerSession } from '../smtp/server/session.ts'
import type { Source } from '../wire/effect.ts'
import { pump } from '../world/pump.ts'
import { createWorld, simIdentity } from '../world/sim/index.ts'
import { type SendOptions, sendMail } from './send.ts'

interface Taken {
  readonly envelope: Envelope
  readonly octets: Buffer
}

const serverSettings: SessionSettings = {
  hostname: 'mx.test',
  protocol: 'smtp',
  banner: 'Test',
  sizeMaxBytes: 10_000_000,
  recipientsMax: 1000,
  recipientDomainsMax: 0,
  bareLineEnds: 'refuse',
  startTls: true,
  mechanisms: ['PLAIN', 'LOGIN'],
  requireAuth: false,
  service: 'mx',
  with: [],
  without: [],
  xclientFrom: [],
  xforwardFrom: [],
  errorsMax: 20,
  transactionsMax: 100,
  commandTimeoutMs: 300_000,
  dataTimeoutMs: 300_000,
  deliverByMinS: 0,
  holdMaxS: 86_400,
  priorityMax: 0,
  unwanted: [],
  chance: octets => new Uint8Array(octets),
  now: () => Date.UTC(2026, 10, 27, 4),
}

const salt = Buffer.from('salt')
const verifier = verifierOf(sha256, pbkdf2Sync('p', salt, 4096, 32, 'sha256'), salt, 4096)

function keeping(taken: Taken[], protocol: 'smtp' | 'lmtp', gss = playedGss()): Policy {
  let pieces: Buffer[] = []
  const account: Account = { id: 1, address: 'u@mx.test' }
  return {
    connect: () => accept(),
    hello: () => accept(),
    login: (_peer, question) => {
      if (question.kind === 'gss') return gss.answer(question.step)
      if (question.kind === 'scram') return { kind: 'verifier', verifier }
      const right =
        question.kind === 'proven' ||
        question.kind === 'principal' ||
        (question.kind === 'password' && question.password === 'p')
      return right ? { kind: 'account', account } : { kind: 'denied', why: 'wrong' }
    },
    mail: () => accept(),
    rcpts: (_peer, _envelope, recipients) =>
      recipients.map(({ forwardPath }) =>
        forwardPath.local === 'no' ? refuse(550, '1.1', 'Nobody') : accept(),
      ),
    data: () => accept(),
    content: (octets, from, to) => {
      pieces.push(Buffer.from(octets.subarray(from, to)))
      return undefined
    },
    accept: (_peer, envelope) => {
      taken.push({ envelope, octets: Buffer.concat(pieces) })
      pieces = []
      return protocol === 'lmtp' ? envelope.recipients.map(() => accept()) : [accept()]
    },
    abandon: () => {
      pieces = []
    },
    verify: () => accept(),
    start: () => refuse(502, '5.1', 'no queue'),
    exchange: () => refuse(502, '5.1', 'no queue'),
    expand: () => accept(),
    closed: () => {},
  }
}

async function through(
  seed: number,
  content: Source,
  options: Partial<SendOptions> & { readonly body?: BodyKind } = {},
  server: Partial<SessionSettings> = {},
) {
  const internet = createWorld({ seed })
  const us = internet.host({ name: 'us.test', addresses: ['192.0.2.1'] })
  const mx = internet.host({ name: 'mx.test', addresses: ['192.0.2.2'] })
  internet.network.faults.cut = 'random'
  const taken: Taken[] = []
  await internet.complete(
    mx.world.net.listen({ kind: 'tcp', address: '0.0.0.0', port: 25 }, connection => {
      pump({
        connection,
        clock: mx.world.clock,
        log: mx.world.log,
        role: roleOf(keeping(taken, server.protocol ?? 'smtp')),
        identity: () => ({ side: 'server', identity: simIdentity(['mx.test']) }),
        session: sink =>
          new ServerSession(sink, { ...serverSettings, ...server }, connection, connection.tls),
      })
    }),
  )
  const { body = '8BITMIME', ...rest } = options
  const envelope: Envelope = {
    sender: { reversePath: parseStoredAddress('a@us.test'), body, utf8: false },
    recipients: ['b@mx.test', 'no@mx.test'].map(text => ({
      forwardPath: parseStoredAddress(text),
    })),
  }
  const world = { ...us.world, gss: playedGss() }
  const sending = sendMail(world, { host: 'mx.test', port: 25, envelope, content, ...rest })
  const { outcomes, dialogue } = await internet.complete(sending)
  const status = outcomes.map(outcome => `${outcome.kind} ${outcome.status}`).join(', ')
  return { status, taken, dialogue }
}

const oneOfTwo = /^delivered 2\.\d\.\d, failed 5\.1\.1$/

/** Octets of every kind that has ever ended a message too early, or never. */
function hostile(seed: number, length: number): Buffer {
  const pieces = [
    '\r',
    '\n',
    '\r\n',
    '.',
    '..',
    '\r\n.\r\n',
    '\n.\n',
    '\r.\r',
    'x',
    '\0',
    '\xff',
    ' ',
  ]
  let state = seed
  let text = ''
  while (text.length < length) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    text += pieces[(state >>> 8) % pieces.length]
  }
  return Buffer.from(text, 'latin1')
}

/** What DATA may carry: every line end is CRLF, and the last line has one. */
function canonical(octets: Buffer): string {
  const text = octets.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n')
  return text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`
}

async function* inPieces(octets: Buffer, size: number) {
  for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size)
}

test('whatever is sent by DATA is read back as exactly one message', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    // NUL is what our server refuses in DATA (RFC 5321 §2.3.1: text is ASCII without it).
    const octets = Buffer.from(hostile(seed, seed * 5).filter(octet => octet !== 0))
    const source = seed % 2 === 0 ? octets : inPieces(octets, 1 + (seed % 7))
    const sizeOctets = octets.length
    const { status, taken } = await through(seed, source, { sizeOctets })
    assert.match(status, oneOfTwo, `seed ${seed}`)
    assert.equal(taken.length, 1)
    assert.equal(taken[0]?.octets.toString('latin1'), canonical(octets), `seed ${seed}`)
  }
})

test('whatever is sent by BDAT is read back octet for octet', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const octets = hostile(seed, seed * 5)
    const source = seed % 2 === 0 ? octets : inPieces(octets, 1 + (seed % 7))
    const options = { body: 'BINARYMIME', sizeOctets: octets.length } as const
    const { status, taken } = await through(seed, source, options, { bareLineEnds: 'normalize' })
    assert.match(status, oneOfTwo, `seed ${seed}`)
    assert.equal(taken.length, 1)
    assert.equal(taken[0]?.octets.equals(octets), true, `seed ${seed}`)
  }
})

test('a source that is not as long as announced never becomes a message', async () => {
  for (const announced of [4, 6]) {
    const source = inPieces(Buffer.from('hello'), 5)
    const { status, taken } = await through(1, source, {
      body: 'BINARYMIME',
      sizeOctets: announced,
    })
    assert.match(status, /^deferred 4\.3\.0/)
    assert.equal(taken.length, 0)
  }
})

test('a large message survives the cuts', async () => {
  const octets = Buffer.from('.0123456789 and so on\r\n'.repeat(20_000))
  const { status, taken } = await through(3, inPieces(octets, 50_000), {
    sizeOctets: octets.length,
  })
  assert.match(status, oneOfTwo)
  assert.equal(taken[0]?.octets.equals(octets), true)
})

test('without pipelining the same is said step by step', async () => {
  const server = { without: ['PIPELINING', 'DSN', 'SIZE', '8BITMIME'] } as const
  const { status, taken } = await through(4, Buffer.from('x\r\n'), {}, server)
  assert.match(status, oneOfTwo)
  assert.equal(taken.length, 1)
})

test('TLS and a login come before the mail', async () => {
  for (const mechanisms of [['PLAIN'], ['LOGIN'], ['PLAIN', 'SCRAM-SHA-256']]) {
    const login = { username: 'u', password: 'p' }
    const server = { mechanisms, requireAuth: true }
    const { status, dialogue } = await through(
      5,
      Buffer.from('x\r\n'),
      { tls: 'require', login },
      server,
    )
    assert.match(status, oneOfTwo, dialogue)
    assert.match(dialogue, /\* TLS: TLSv1\.3 .*verified/)
    const wrong = { ...login, password: 'q' }
    const second = await through(5, Buffer.from('x\r\n'), { tls: 'require', login: wrong }, server)
    assert.equal(second.status, 'failed 5.7.8, failed 5.7.8')
    assert.doesNotMatch(second.dialogue, /AHUAcQ|cQ==/)
  }
})

test('a ticket is a login, by steps that the library answers later', async () => {
  for (const mechanism of ['GSSAPI', 'GSS-SPNEGO']) {
    const login = { username: '', ticket: {} }
    const server = { mechanisms: ['PLAIN', mechanism], requireAuth: true }
    const { status, dialogue } = await through(
      5,
      Buffer.from('x\r\n'),
      { tls: 'require', login },
      server,
    )
    assert.match(status, oneOfTwo, dialogue)
    assert.match(dialogue, new RegExp(`C: AUTH ${mechanism}`))
  }
})

test('LMTP answers for each recipient', async () => {
  const { status, taken } = await through(
    6,
    Buffer.from('x\r\n'),
    { protocol: 'lmtp', tls: 'never' },
    { protocol: 'lmtp' },
  )
  assert.match(status, oneOfTwo)
  assert.equal(taken.length, 1)
})

test('a large message goes by chunks, to a hop that takes them', async () => {
  const octets = Buffer.from('.0123456789 and so on\r\n'.repeat(60_000))
  const { status, taken, dialogue } = await through(7, octets)
  assert.match(status, oneOfTwo)
  assert.equal(taken[0]?.octets.equals(octets), true)
  assert.match(dialogue, /C: BDAT 524288\n(?:.*\n)*C: BDAT 331424 LAST\n/)
  const lines = await through(7, Buffer.from('bare\n'.repeat(200_000)))
  assert.doesNotMatch(lines.dialogue, /BDAT/)
})

test('a hop that refuses a chunk in the middle is heard out', async () => {
  const octets = Buffer.from('.0123456789 and so on\r\n'.repeat(200_000))
  const server = { sizeMaxBytes: 600_000, without: ['SIZE'] } as const
  for (const seed of [8, 9, 10]) {
    const { status, taken, dialogue } = await through(seed, octets, {}, server)
    assert.match(status, /^failed 5\.3\.4, failed 5\.1\.1$/, dialogue)
    assert.equal(taken.length, 0)
  }
})

test('a hop that takes less gets the same message in other words', async () => {
  const octets = hostile(11, 2000)
  const head = 'MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n'
  const content = Buffer.concat([Buffer.from(`${head}\r\n`), octets])
  const lacks = [['BINARYMIME'], ['CHUNKING'], ['BINARYMIME', '8BITMIME', 'CHUNKING']] as const
  for (const without of lacks) {
    const { status, taken } = await through(11, content, { body: 'BINARYMIME' }, { without })
    assert.match(status, oneOfTwo)
    const text = taken[0]?.octets.toString('latin1') ?? ''
    const [, encoded] = text.split(`${head}Content-Transfer-Encoding: base64\r\n\r\n`)
    assert.equal(Buffer.from(encoded ?? '', 'base64').equals(octets), true, text.slice(0, 200))
    assert.equal(taken[0]?.envelope.sender.body, '7BIT')
  }
})
