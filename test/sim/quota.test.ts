/** Quota (RFC 9208, RFC 5321 §4.2.3, RFC 3463 X.2.2): a full mailbox at RCPT, at the end of the content, and behind an alias. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseStoredAddress } from '../../src/mail/address.ts'
import { type SendOptions, sendMail } from '../../src/transport/send.ts'
import { LMTP_SOCKET } from './server.ts'
import { createTown, type Town } from './town.ts'

const letter = (octets: number) =>
  Buffer.from(`From: x@mta.test\r\nSubject: quota\r\n\r\n${'x'.repeat(70)}\r\n`.padEnd(octets, 'y'))

const one = (): Promise<Town> =>
  createTown({
    seed: 'quota',
    servers: [
      {
        domain: 'b.test',
        accounts: ['bob', 'carol', 'dan'],
        aliases: { bobby: ['bob@b.test'], both: ['bob@b.test', 'carol@b.test'] },
        config: { quota: { storage: '2KB' } },
      },
      { domain: 'a.test', accounts: [] },
    ],
  })

async function hand(
  town: Town,
  to: readonly string[],
  octets: number,
  more: Partial<SendOptions> = {},
): Promise<string> {
  const { world } = town.server('a.test').host
  const content = Buffer.concat([letter(octets - 2), Buffer.from('\r\n')])
  const sending = sendMail(world, {
    host: 'mx.b.test',
    port: 25,
    tls: 'never',
    content,
    sizeOctets: content.length,
    envelope: {
      sender: { reversePath: parseStoredAddress('x@mta.test'), body: '7BIT', utf8: false },
      recipients: to.map(address => ({ forwardPath: parseStoredAddress(address) })),
    },
    ...more,
  })
  const { outcomes } = await town.internet.complete(sending)
  await town.advance('1m')
  return outcomes.map(({ kind, status }) => `${kind} ${status}`).join(', ')
}

async function countOf(town: Town, address: string): Promise<number> {
  return (await town.internet.complete(town.user(address).read())).length
}

test('who is full is told at RCPT by the declared size: 452 for now, 552 for what never fits', async () => {
  const town = await one()
  assert.equal(await hand(town, ['bob@b.test'], 3_000), 'failed 5.2.2')
  assert.equal(
    await hand(town, ['bob@b.test', 'bobby@b.test'], 1_000),
    'delivered 2.0.0, delivered 2.0.0',
  )
  assert.equal(
    await hand(town, ['bob@b.test', 'dan@b.test'], 900),
    'deferred 4.2.2, delivered 2.0.0',
  )
  assert.equal(await hand(town, ['bobby@b.test'], 900), 'deferred 4.2.2')
  assert.equal(await countOf(town, 'bob@b.test'), 1)
})

test('by LMTP each mailbox is judged by the true size', async () => {
  const town = await one()
  const { world } = town.server('b.test').host
  const socket = { host: LMTP_SOCKET, port: 24, protocol: 'lmtp' } as const
  assert.equal(await hand(town, ['bob@b.test'], 1_000), 'delivered 2.0.0')
  const content = letter(900)
  async function* streamed() {
    yield content
  }
  const sending = sendMail(world, {
    ...socket,
    tls: 'never',
    content: streamed(),
    sizeOctets: 1,
    envelope: {
      sender: { reversePath: parseStoredAddress('x@mta.test'), body: '7BIT', utf8: false },
      recipients: ['bob@b.test', 'carol@b.test'].map(address => ({
        forwardPath: parseStoredAddress(address),
      })),
    },
  })
  const { outcomes } = await town.internet.complete(sending)
  assert.deepEqual(
    outcomes.map(({ kind, status }) => `${kind} ${status}`),
    ['deferred 4.2.2', 'delivered 2.0.0'],
  )
})

test('behind an alias of several a full mailbox waits in the queue, and what never fits is reported', async () => {
  const town = await one()
  assert.equal(await hand(town, ['bob@b.test'], 1_200), 'delivered 2.0.0')
  assert.equal(await hand(town, ['both@b.test'], 1_000), 'delivered 2.0.0')
  assert.equal(await countOf(town, 'carol@b.test'), 1)
  assert.equal(await countOf(town, 'bob@b.test'), 1)
  const { accounts } = town.server('b.test').house.accounts
  await accounts.setQuota('bob@b.test', { quotaOctets: 0, quotaMessages: null })
  await town.advance('2h')
  assert.equal(await countOf(town, 'bob@b.test'), 2)
  assert.equal(town.server('b.test').ledger.faults.length, 0)
})

test('an account of its own limit goes by that, and messages count too', async () => {
  const town = await one()
  const { accounts } = town.server('b.test').house.accounts
  await accounts.setQuota('dan@b.test', { quotaOctets: 100_000, quotaMessages: 2 })
  for (const expected of ['delivered 2.0.0', 'delivered 2.0.0', 'deferred 4.2.2'])
    assert.equal(await hand(town, ['dan@b.test'], 3_000), expected)
})
