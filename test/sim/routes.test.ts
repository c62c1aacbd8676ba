/** Routes of the config in the town: by sender, header, account and size; held, let go, discarded, sent back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseStoredAddress } from '../../src/mail/address.ts'
import { change } from '../../src/queue/change.ts'
import type { Config } from '../../src/server/settings/settings.ts'
import { reader } from '../../src/store/store.ts'
import { sendMail } from '../../src/transport/send.ts'
import { judge, toldOf } from './oracle.ts'
import { createTown, type Town } from './town.ts'

const rows = reader('town.rows', (tx, _: null) =>
  tx.all<{ message_id: string; n: number; address: string; state: string; reason: string }>(
    'SELECT message_id, n, address, state, reason FROM recipient ORDER BY message_id, n',
  ),
)

/** a.test with rules; b.test, and c.test whose mail a.test may send by b.test too. */
function aTown(config: Config): Promise<Town> {
  return createTown({
    seed: 'routes',
    servers: [
      { domain: 'a.test', accounts: ['alice', 'ann'], config },
      { domain: 'b.test', accounts: ['bob', 'bill'] },
      { domain: 'c.test', accounts: ['carol'] },
    ],
  })
}

async function statesOf(town: Town): Promise<string[]> {
  const { store } = town.server('a.test')
  const all = await town.internet.complete(store.read(rows, null))
  return all.map(({ address, state }) => `${address} ${state}`)
}

async function read(town: Town, address: string): Promise<string[]> {
  const letters = await town.internet.complete(town.user(address).read())
  return letters.map(({ octets }) => Buffer.from(octets).toString())
}

test('a header is read where a rule asks for it, and mail to a mailbox here obeys rules too', async () => {
  const town = await aTown({
    routes: [
      { match: { header: { 'X-Letter': '*1' } }, to: 'discard' },
      { match: { recipient: 'local', header: { from: '*alice*' } }, to: { hold: 'a look first' } },
    ],
  })
  const to = ['ann@a.test', 'bob@b.test']
  await town.send({ from: 'alice@a.test', to })
  await town.send({ from: 'ann@a.test', to })
  await town.advance('1 minute')
  assert.deepEqual(await statesOf(town), [
    'ann@a.test held',
    'bob@b.test relayed',
    'ann@a.test delivered',
    'bob@b.test relayed',
  ])
})

test('what a rule holds waits for ever, and goes on when the operator lets it go', async () => {
  const town = await aTown({ routes: [{ to: { hold: 'a look first' } }] })
  await town.send({ from: 'alice@a.test', to: ['ann@a.test', 'bob@b.test'] })
  await town.advance('30 days')
  const { store, house } = town.server('a.test')
  const held = await town.internet.complete(store.read(rows, null))
  assert.deepEqual(
    held.map(({ state, reason }) => `${state}: ${reason}`),
    ['held: a look first', 'held: a look first'],
  )
  const at = house.world.clock.now()
  const release = {
    query: [],
    moment: { at, upTo: held[0]?.message_id ?? '' },
    keys: held.map(({ message_id: messageId, n }) => ({ messageId, n })),
    change: { order: 'release' },
    at,
  } as const
  await town.internet.complete(store.write(change, release))
  house.worker.wake()
  await town.advance('1 minute')
  assert.deepEqual(await statesOf(town), ['ann@a.test delivered', 'bob@b.test relayed'])
  assert.deepEqual(await town.internet.complete(town.server('a.test').findings()), [])
})

test('what is discarded is gone without a word, and what is rejected comes back once', async () => {
  const town = await aTown({
    routes: [
      { match: { recipient: 'bill@b.test' }, to: 'discard' },
      { match: { size: '>1MB' }, to: 'hold' },
      {
        match: { account: 'alice@a.test', header: { subject: '*' }, recipient: '@b.test' },
        to: { reject: { status: '5.7.2', text: 'alice may not write to bob' } },
      },
    ],
  })
  await town.send({
    from: 'alice@a.test',
    to: ['bill@b.test', 'bob@b.test', 'carol@c.test'],
    notify: ['SUCCESS', 'FAILURE', 'DELAY'],
  })
  await town.advance('1 minute')
  assert.deepEqual((await statesOf(town)).slice(0, 3), [
    'bill@b.test deleted',
    'bob@b.test failed',
    'carol@c.test relayed',
  ])
  const notices = await read(town, 'alice@a.test')
  const [notice = ''] = notices.filter(text => /^Action: failed/m.test(text))
  assert.deepEqual(toldOf(notice, 'failed'), ['bob@b.test'])
  assert.match(notice, /^Status: 5\.7\.2\r$/m)
  assert.match(notice, /alice may not write to bob/)
  assert.doesNotMatch(notices.join(''), /Recipient: rfc822; *bill@b/i)
  assert.deepEqual(await town.internet.complete(town.server('a.test').findings()), [])
})

test('a hop is used by itself for its senders, and the next one where it is down', async () => {
  const town = await aTown({
    outbound: {
      hops: {
        down: { host: 'mx.b.test', port: 26, tls: 'never', senders: [] },
        b: { host: 'mx.b.test', port: 25, tls: 'never', hostname: 'other.a.test' },
        ann: { host: 'mx.c.test', port: 25, tls: 'never', senders: ['ann@a.test'] },
      },
    },
    routes: [{ match: { recipient: 'remote', sender: 'alice@*' }, to: { hop: ['down', 'b'] } }],
  })
  await town.send({ from: 'alice@a.test', to: ['bob@b.test'] })
  // c.test relays for nobody: that ann's mail comes back from there shows which way it went.
  await town.send({ from: 'ann@a.test', to: ['bob@b.test'] })
  await town.advance('2 minutes')
  const [letter = ''] = await read(town, 'bob@b.test')
  assert.match(letter, /Received: from other\.a\.test /)
  assert.equal((await read(town, 'bob@b.test')).length, 1)
  const [notice = ''] = await read(town, 'ann@a.test')
  assert.match(notice, /^Remote-MTA: dns; mx\.c\.test\r$/im)
  assert.deepEqual(
    (await judge(town)).filter(fault => !fault.what.includes('ann@a.test')),
    [],
  )
})

test('what a rule rejects is refused in the session where it can be known there', async () => {
  const text = 'not here'
  const town = await aTown({
    routes: [
      { match: { recipient: 'bill@b.test' }, to: { reject: { status: '5.1.10', text } } },
      { match: { header: { subject: '*' }, recipient: '@c.test' }, to: { reject: { text } } },
      { match: { recipient: 'old@gone.test' }, to: { reject: { text } } },
    ],
    aliases: { 'former@a.test': 'old@gone.test', 'both@a.test': ['old@gone.test', 'ann@a.test'] },
  })
  const { internet } = town
  const { world } = internet.host({ name: 'x.test', addresses: ['203.0.113.1'] })
  const say = async (to: readonly string[], port = 24) => {
    const { outcomes } = await internet.complete(
      sendMail(world, {
        host: 'mx.a.test',
        port,
        tls: 'never',
        protocol: port === 24 ? 'lmtp' : 'smtp',
        content: Buffer.from('From: x@x.test\r\nSubject: s\r\n\r\nhello\r\n'),
        envelope: {
          sender: { reversePath: parseStoredAddress('x@x.test'), body: '7BIT', utf8: false },
          recipients: to.map(one => ({ forwardPath: parseStoredAddress(one) })),
        },
      }),
    )
    return outcomes.map(({ kind, status, reply }) => `${kind} ${status} ${reply?.code}`)
  }
  const { accounts } = town.server('a.test').house.accounts
  const declared = accounts.declare({
    domains: [],
    aliases: [
      { address: 'former@a.test', targets: ['old@gone.test'] },
      { address: 'both@a.test', targets: ['old@gone.test', 'ann@a.test'] },
    ],
  })
  await internet.complete(declared)
  assert.deepEqual(await say(['former@a.test', 'both@a.test', 'ann@a.test'], 25), [
    'failed 5.7.1 550',
    'delivered 2.0.0 250',
    'delivered 2.0.0 250',
  ])
  await town.send({ from: 'alice@a.test', to: ['bill@b.test', 'bob@b.test'] })
  await town.send({ from: 'alice@a.test', to: ['carol@c.test'] })
  await town.send({ from: 'alice@a.test', to: ['carol@c.test', 'bob@b.test'] })
  const told = town.user('alice@a.test').tries.flatMap(({ recipients: all }) => all)
  assert.deepEqual(
    told.map(({ outcome: { kind, reply } }) => `${kind} ${reply?.code}`),
    // By RCPT; by the end of the message; and where that is for others too, by a notice.
    ['failed 550', 'delivered 250', 'failed 554', 'delivered 250', 'delivered 250'],
  )
  await town.advance('1 minute')
  const notices = (await read(town, 'alice@a.test')).map(notice => toldOf(notice, 'failed'))
  assert.deepEqual(notices, [['carol@c.test']])
})

test('mail for a domain to relay is taken from anybody and goes as the rules say', async () => {
  const town = await aTown({
    relayDomains: ['node.test', '*.net.test'],
    routes: [{ match: { recipient: ['@node.test', '@*.net.test'] }, to: 'discard' }],
  })
  const { internet } = town
  const { world } = internet.host({ name: 'x.test', addresses: ['203.0.113.1'] })
  const recipients = ['a@node.test', 'a@x.node.test', 'a@b.net.test', 'a@net.test', 'a@other.test']
  const { outcomes } = await internet.complete(
    sendMail(world, {
      host: 'mx.a.test',
      port: 25,
      tls: 'never',
      content: Buffer.from('From: x@x.test\r\n\r\nhello\r\n'),
      envelope: {
        sender: { reversePath: parseStoredAddress('x@x.test'), body: '7BIT', utf8: false },
        recipients: recipients.map(one => ({ forwardPath: parseStoredAddress(one) })),
      },
    }),
  )
  assert.deepEqual(
    outcomes.map(({ kind, status }) => `${kind} ${status}`),
    ['delivered 2.0.0', 'failed 5.7.1', 'delivered 2.0.0', 'failed 5.7.1', 'failed 5.7.1'],
  )
  await town.advance('1 minute')
  assert.deepEqual(await statesOf(town), ['a@node.test deleted', 'a@b.net.test deleted'])
})
