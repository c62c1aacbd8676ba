/** Notices in the town: one for a message and its sender, however many recipients failed, and never lost. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '../../src/server/settings/settings.ts'
import { sendMail } from '../../src/transport/send.ts'
import { createTown, type Town } from './town.ts'

const OTHERS = ['b.test', 'c.test', 'd.test']

/** @param others what the other servers are told */
function town(config: Config = {}, others: Config = {}): Promise<Town> {
  return createTown({
    seed: 'notices',
    servers: [
      {
        domain: 'a.test',
        accounts: ['alice'],
        config,
      },
      ...OTHERS.map(domain => ({ domain, accounts: ['bob'], config: others })),
    ],
  })
}

async function found(town: Town, address = 'alice@a.test'): Promise<string[]> {
  const mail = await town.internet.complete(town.user(address).read())
  return mail.map(({ octets }) => Buffer.from(octets).toString('latin1').replaceAll('\r\n\t', ' '))
}

/** Whom a notice is about, each with what became of him. */
function about(notice: string): string[] {
  const fields = notice.matchAll(/^Final-Recipient: rfc822; (.*)\r\nAction: (.*)\r$/gm)
  return [...fields].map(([, address, action]) => `${address} ${action}`).sort()
}

const nobodies = OTHERS.map(domain => `nobody@${domain}`)

test('recipients that fail in several places are told of at once, and nobody else waits for it', async () => {
  const all = await town()
  await all.send({ from: 'alice@a.test', to: [...nobodies, 'bob@b.test'] })
  await all.advance('8 seconds')
  assert.equal((await found(all, 'bob@b.test')).length, 1)
  const notices = await found(all)
  assert.deepEqual(notices.map(about), [nobodies.map(address => `${address} failed`)])
})

test('a failure waits for slow ones no longer than it may', async () => {
  const all = await town()
  all.internet.network.part('mx.a.test', 'mx.c.test')
  await all.send({ from: 'alice@a.test', to: nobodies })
  await all.advance('11 seconds')
  assert.deepEqual(
    (await found(all)).map(notice => about(notice).length),
    [2],
  )
  all.internet.network.heal('mx.a.test', 'mx.c.test')
  await all.advance('10 minutes')
  assert.deepEqual((await found(all)).map(about).at(-1), ['nobody@c.test failed'])
})

test('what is delivered in several places is told of at once, and what fails meanwhile with it', async () => {
  for (const nobody of [[], ['nobody@d.test']]) {
    const all = await town({}, { listeners: { smtp: { without: ['DSN'] } } })
    const taken = ['alice@a.test delivered', 'bob@b.test relayed', 'bob@c.test relayed']
    const to = [...taken.map(each => each.split(' ')[0] ?? ''), ...nobody]
    await all.send({ from: 'alice@a.test', to, notify: ['SUCCESS', 'FAILURE'] })
    await all.advance('1 minute')
    const told = (await found(all)).map(about).filter(about => about.length > 0)
    assert.deepEqual(told, [[...taken, ...nobody.map(address => `${address} failed`)]])
    assert.deepEqual(await all.internet.complete(all.server('a.test').findings()), [])
  }
})

test('that an alias was expanded is told with what else became of the message', async () => {
  const all = await createTown({
    seed: 'expanded',
    servers: [
      {
        domain: 'a.test',
        accounts: ['alice', 'carol'],
        aliases: { list: ['bob@b.test', 'carol@a.test'] },
      },
      {
        domain: 'b.test',
        accounts: ['bob'],
        config: { listeners: { smtp: { without: ['DSN'] } } },
      },
    ],
  })
  const to = ['list@a.test', 'bob@b.test', 'alice@a.test']
  await all.send({ from: 'alice@a.test', to, notify: ['SUCCESS'] })
  await all.advance('30 seconds')
  const told = (await found(all)).map(about).filter(about => about.length > 0)
  const each = ['alice@a.test delivered', 'bob@b.test relayed', 'list@a.test expanded']
  assert.deepEqual(told, [each])
  assert.deepEqual(await all.internet.complete(all.server('a.test').findings()), [])
  // Alone it shows the header as its readers have it, and not as it came: what we added stands there.
  await all.send({ from: 'alice@a.test', to: ['list@a.test'], notify: ['SUCCESS'] })
  await all.advance('30 seconds')
  const alone = (await found(all)).at(-1) ?? ''
  assert.deepEqual(about(alone), ['list@a.test expanded'])
  const copy = (await found(all, 'carol@a.test')).at(-1) ?? ''
  const [received = 'none'] = /^Received: .*$/m.exec(copy) ?? []
  assert.ok(alone.includes(received), `${received}\n${alone}`)
})

test('a word that rests goes out in its time where the others are slow, and after a crash', async () => {
  for (const crash of [false, true]) {
    const all = await town({}, { listeners: { smtp: { without: ['DSN'] } } })
    all.internet.network.part('mx.a.test', 'mx.c.test')
    await all.send({
      from: 'alice@a.test',
      to: ['alice@a.test', 'bob@c.test'],
      notify: ['SUCCESS'],
    })
    await all.advance('2 seconds')
    const reports = async () => (await found(all)).map(about).filter(about => about.length > 0)
    assert.deepEqual(await reports(), [])
    if (crash) all.server('a.test').crash()
    await all.advance(crash ? '2 minutes' : '15 seconds')
    assert.deepEqual(await reports(), [['alice@a.test delivered']])
    all.internet.network.heal('mx.a.test', 'mx.c.test')
    await all.advance('10 minutes')
    assert.deepEqual(await reports(), [['alice@a.test delivered'], ['bob@c.test relayed']])
    assert.deepEqual(await all.internet.complete(all.server('a.test').findings()), [])
  }
})

test('where nothing is to be gathered, each is told of by itself', async () => {
  const all = await town({ notices: { gather: '0s' } })
  await all.send({ from: 'alice@a.test', to: nobodies })
  await all.advance('1 minute')
  assert.equal((await found(all)).length, 3)
})

test('what is late everywhere is told once, and its end once for each', async () => {
  const all = await town()
  for (const domain of OTHERS) all.internet.network.part('mx.a.test', `mx.${domain}`)
  await all.send({ from: 'alice@a.test', to: nobodies })
  await all.advance('7 hours')
  assert.deepEqual((await found(all)).map(about), [nobodies.map(address => `${address} delayed`)])
  await all.advance('5 days')
  // Where a host is just being probed its end waits for that; where it is known to be down, nothing is tried.
  assert.deepEqual(
    (await found(all)).slice(1).flatMap(about).sort(),
    nobodies.map(address => `${address} failed`),
  )
})

test('a crash while failures wait for each other loses none of them', async () => {
  for (const after of [1, 3, 9, 11]) {
    const all = await town()
    all.internet.network.part('mx.a.test', 'mx.d.test')
    await all.send({ from: 'alice@a.test', to: nobodies })
    all.later(after * 1000, () => {
      all.server('a.test').crash()
      all.internet.network.heal('mx.a.test', 'mx.d.test')
    })
    await all.advance('10 minutes')
    const told = (await found(all)).flatMap(about).sort()
    assert.deepEqual(
      told,
      nobodies.map(address => `${address} failed`),
    )
    assert.deepEqual(await all.internet.complete(all.server('a.test').findings()), [])
  }
})

/** A stranger's message whose sender nobody takes mail for. */
async function strange(config: Config): Promise<Town> {
  const all = await createTown({
    seed: 'bounce of a bounce',
    servers: [
      {
        domain: 'a.test',
        accounts: ['alice', 'post'],
        aliases: { lost: ['nobody@b.test'] },
        config: { addresses: { postmaster: 'post@a.test' }, ...config },
      },
      { domain: 'b.test', accounts: ['bob'] },
    ],
  })
  const host = all.internet.host({ name: 'stranger.test', addresses: ['203.0.113.9'] })
  const path = (local: string, domain: string) => ({ local, domain })
  await all.internet.complete(
    sendMail(host.world, {
      host: 'mx.a.test',
      port: 25,
      tls: 'never',
      hostname: 'stranger.test',
      content: Buffer.from('Subject: x\r\n\r\nx\r\n'),
      replyTimeoutMs: 60_000,
      envelope: {
        sender: { reversePath: path('ghost', 'b.test'), body: '7BIT', utf8: false },
        recipients: [{ forwardPath: path('lost', 'a.test') }],
      },
    }),
  )
  await all.advance('10 minutes')
  return all
}

test('a notice that cannot be delivered is told to the postmaster who wants it, once', async () => {
  const all = await strange({ notices: { undeliverable: 'postmaster' } })
  const [notice, ...more] = await found(all, 'post@a.test')
  assert.equal(more.length, 0)
  assert.match(notice ?? '', /^Subject: A notice could not be delivered\r$/m)
  assert.match(notice ?? '', /^Return-Path: <>\r$/m)
  assert.deepEqual(about(notice ?? '')[0], 'ghost@b.test failed')
  assert.match(
    notice ?? '',
    /^Subject: Your message could not be delivered\r$/m,
    'the notice is in it',
  )
})

test('otherwise it is on record, and so is what the postmaster cannot be told', async () => {
  const quiet = await strange({})
  assert.equal((await found(quiet, 'post@a.test')).length, 0)
  const lost = await strange({
    notices: { undeliverable: 'postmaster' },
    addresses: { postmaster: 'nobody@b.test' },
  })
  assert.deepEqual(await lost.internet.complete(lost.server('a.test').findings()), [])
})
