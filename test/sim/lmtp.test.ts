/** LMTP (RFC 2033): our server, and our client to it, by TCP and by a Unix socket. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseStoredAddress } from '../../src/mail/address.ts'
import type { Outcome } from '../../src/mail/outcome.ts'
import { type SendOptions, sendMail } from '../../src/transport/send.ts'
import { passwordOf } from './residents.ts'
import { LMTP_SOCKET } from './server.ts'
import { createTown, type Town } from './town.ts'

const MESSAGE = Buffer.from('From: x@mta.test\r\nSubject: lmtp\r\n\r\n.hello\r\n')

const one = (config = {}): Promise<Town> =>
  createTown({
    seed: 'lmtp',
    servers: [
      {
        domain: 'b.test',
        accounts: ['bob', 'carol'],
        aliases: { both: ['bob@b.test', 'carol@b.test'] },
        config,
      },
    ],
  })

/** Hands a message to the LMTP listener of b.test, from its own machine. */
function hand(town: Town, to: readonly string[], more: Partial<SendOptions> = {}) {
  const { world } = town.server('b.test').host
  const sending = sendMail(world, {
    host: LMTP_SOCKET,
    port: 24,
    tls: 'never',
    protocol: 'lmtp',
    content: MESSAGE,
    envelope: {
      sender: { reversePath: parseStoredAddress('x@mta.test'), body: '7BIT', utf8: false },
      recipients: to.map(address => ({ forwardPath: parseStoredAddress(address) })),
    },
    ...more,
  })
  return town.internet.complete(sending)
}

const short = (outcomes: readonly Outcome[]) =>
  outcomes.map(({ kind, status }) => `${kind} ${status}`).join(', ')

async function countOf(town: Town, address: string): Promise<number> {
  return (await town.internet.complete(town.user(address).read())).length
}

for (const host of [LMTP_SOCKET, 'mx.b.test']) {
  test(`each recipient has a reply of its own, by ${host}`, async () => {
    const town = await one()
    const to = ['bob@b.test', 'nobody@b.test', 'carol@b.test', 'x@elsewhere.test', 'both@b.test']
    const { outcomes, dialogue } = await hand(town, to, { host })
    assert.equal(
      short(outcomes),
      'delivered 2.0.0, failed 5.1.1, delivered 2.0.0, failed 5.7.1, delivered 2.0.0',
    )
    assert.match(dialogue, /^S: 220 .*\nC: LHLO /)
    await town.advance('1m')
    assert.equal(await countOf(town, 'bob@b.test'), 1)
    assert.equal(await countOf(town, 'carol@b.test'), 1)
  })
}

test('who leaves between RCPT and the end of the message is told as gone, and the others have it', async () => {
  const town = await one()
  const { accounts } = town.server('b.test').house.accounts
  async function* content() {
    await accounts.removeAccount('bob@b.test')
    yield MESSAGE
  }
  const more = { content: content(), sizeOctets: MESSAGE.length }
  const { outcomes } = await hand(town, ['bob@b.test', 'carol@b.test'], more)
  assert.equal(short(outcomes), 'failed 5.1.1, delivered 2.0.0')
  await town.advance('1m')
  assert.equal(await countOf(town, 'carol@b.test'), 1)
  assert.equal(town.server('b.test').ledger.faults.length, 0)
})

test('where all have left, nothing is taken', async () => {
  const town = await one()
  const { accounts } = town.server('b.test').house.accounts
  async function* content() {
    await accounts.removeAccount('bob@b.test')
    yield MESSAGE
  }
  const before = town.server('b.test').commits
  const more = { content: content(), sizeOctets: MESSAGE.length }
  assert.equal(short((await hand(town, ['bob@b.test'], more)).outcomes), 'failed 5.1.1')
  await town.advance('1m')
  // One commit: the account that went.
  assert.equal(town.server('b.test').commits, before + 1)
})

test('STARTTLS is offered by TCP and never on the socket', async () => {
  const town = await one()
  const tcp = await hand(town, ['bob@b.test'], {
    host: 'mx.b.test',
    tls: 'require',
    anyCertificate: true,
  })
  assert.equal(short(tcp.outcomes), 'delivered 2.0.0')
  assert.match(tcp.dialogue, /C: STARTTLS\n(.*\n)*\* TLS: /)
  const off = await one({ listeners: { lmtp: { path: 'lmtp.sock' } } })
  const unix = await hand(off, ['bob@b.test'], { tls: 'require' })
  assert.equal(short(unix.outcomes), 'deferred 4.7.4')
})

test('where a login is wanted nothing is taken without one', async () => {
  const town = await one({ listeners: { lmtp: { requireAuth: true } } })
  assert.equal(short((await hand(town, ['bob@b.test'])).outcomes), 'failed 5.7.0')
  const login = { username: 'bob@b.test', password: passwordOf('bob@b.test') }
  const host = 'mx.b.test'
  const more = { host, login, tls: 'require', anyCertificate: true } as const
  assert.equal(short((await hand(town, ['carol@b.test'], more)).outcomes), 'delivered 2.0.0')
})

for (const [how, host] of [
  ['TCP', 'mx.b.test'],
  ['TCP and its port', '192.0.2.2'],
] as const) {
  test(`mail goes on by LMTP to the server that keeps the mailboxes, by ${how}`, async () => {
    const smarthost = { host, protocol: 'lmtp', tls: 'never' } as const
    const town = await createTown({
      seed: 'lmtp',
      servers: [
        { domain: 'a.test', accounts: ['alice'], config: { outbound: { smarthost } } },
        { domain: 'b.test', accounts: ['bob'] },
      ],
    })
    const to = ['bob@b.test', 'nobody@b.test']
    await town.send({ from: 'alice@a.test', to, notify: ['SUCCESS', 'FAILURE'] })
    await town.advance('1m')
    assert.equal(await countOf(town, 'bob@b.test'), 1)
    const told = await town.internet.complete(town.user('alice@a.test').read())
    const text = told.map(({ octets }) => Buffer.from(octets).toString()).join('')
    assert.match(
      text,
      /Final-Recipient: rfc822; nobody@b\.test\r\nAction: failed\r\nStatus: 5\.1\.1/i,
    )
    // Our LMTP server does DSN itself, as this one does: the wish for success was handed on.
    assert.match(text, /Final-Recipient: rfc822; bob@b\.test\r\n(.*\r\n)*?Action: delivered/i)
  })
}
