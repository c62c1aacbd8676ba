/** Forwarding in the town: what an alias sends on elsewhere leaves in our name, and what comes back finds its sender. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseStoredAddress } from '../../src/mail/address.ts'
import type { Config } from '../../src/server/settings/settings.ts'
import { sendMail } from '../../src/transport/send.ts'
import { passwordOf } from './residents.ts'
import { createTown, type Town } from './town.ts'

const LONG = 'a.person.whose.name.fills.nearly.all.of.a.local.part.there.is'

/** A sender's server, one that forwards, one that forwards again, and the last one. */
function town(config: Config['outbound'] = {}): Promise<Town> {
  return createTown({
    seed: 'forwarding',
    servers: [
      { domain: 'a.test', accounts: ['alice', LONG] },
      {
        domain: 'b.test',
        accounts: ['bob'],
        aliases: {
          carol: ['carol@c.test'],
          dave: ['carol@c.test', 'dave@c.test', 'bob@b.test'],
          gone: ['gone@c.test'],
          lost: ['lost@c.test'],
          far: ['far@node.nje'],
          kept: ['far@kept.nje'],
        },
        config: {
          outbound: { srs: { domain: 'b.test' }, ...config },
          routes: ['node.nje', 'kept.nje'].map(domain => ({
            match: { recipient: `@${domain}` },
            to: { pipe: { argv: ['/bin/hand', '{sender}'], final: domain === 'kept.nje' } },
          })),
        },
      },
      {
        domain: 'c.test',
        accounts: ['carol'],
        aliases: { dave: ['dave@d.test'], lost: ['nobody@d.test'] },
        config: { outbound: { srs: { domain: 'srs.c.test', hashLength: 4 } } },
      },
      { domain: 'd.test', accounts: ['dave'] },
    ],
  })
}

async function found(town: Town, address: string): Promise<string[]> {
  const mail = await town.internet.complete(town.user(address).read())
  return mail.map(({ octets }) => Buffer.from(octets).toString('latin1').replaceAll('\r\n\t', ' '))
}

const returnPath = (text: string | undefined) => /^Return-Path: <(.*)>\r$/m.exec(text ?? '')?.[1]

/** What a stranger is told who sends to an address of the forwarding server. */
async function told(town: Town, from: string | null, to: string): Promise<string> {
  const host = town.internet.host({ name: 'stranger.test', addresses: ['203.0.113.9'] })
  const { outcomes } = await town.internet.complete(
    sendMail(host.world, {
      host: 'mx.b.test',
      port: 25,
      tls: 'never',
      hostname: 'stranger.test',
      content: Buffer.from('Subject: x\r\n\r\nx\r\n'),
      replyTimeoutMs: 60_000,
      envelope: {
        sender: {
          reversePath: from === null ? null : parseStoredAddress(from),
          body: '7BIT',
          utf8: false,
        },
        recipients: [{ forwardPath: parseStoredAddress(to) }],
      },
    }),
  )
  return outcomes[0]?.status ?? ''
}

test('what a program hands on leaves in our name too, and what it keeps does not', async () => {
  const all = await town()
  const runs: string[][] = []
  all.server('b.test').host.programs.set('/bin/hand', (argv, input) => {
    const delivered = /^Delivered-To: (.*)$/m.exec(input.toString('latin1'))?.[1] ?? ''
    runs.push([argv[1] ?? '', delivered.trim()])
    return { code: 0, output: '' }
  })
  for (const to of ['far@b.test', 'kept@b.test']) {
    await all.send({ from: 'alice@a.test', to: [to] })
    await all.advance('1 minute')
  }
  const [on, kept] = runs
  assert.match(on?.[0] ?? '', /^SRS0=.{8}=..=a\.test=alice@b\.test$/)
  assert.equal(on?.[1], 'far@b.test')
  assert.deepEqual(kept, ['alice@a.test', 'far@kept.nje'])
})

test('what is forwarded leaves in the name of who forwards it, and again so', async () => {
  const all = await town()
  await all.send({ from: 'alice@a.test', to: ['carol@b.test'] })
  await all.send({ from: 'alice@a.test', to: ['dave@b.test'] })
  await all.advance('1 minute')
  const [first, second] = await found(all, 'carol@c.test')
  assert.match(returnPath(first) ?? '', /^SRS0=.{8}=..=a\.test=alice@b\.test$/)
  assert.match(returnPath(second) ?? '', /^SRS0=.{8}=..=a\.test=alice@b\.test$/)
  const [twice] = await found(all, 'dave@d.test')
  assert.match(returnPath(twice) ?? '', /^SRS1=....=b\.test==.{8}=..=a\.test=alice@srs\.c\.test$/)
  // Who reads it here reads it from its sender.
  assert.equal(returnPath((await found(all, 'bob@b.test'))[0]), 'alice@a.test')
})

test('mail of our own domains and notices keep their reverse-path', async () => {
  const all = await town()
  await all.send({ from: 'bob@b.test', to: ['carol@b.test'] })
  assert.equal(await told(all, null, 'carol@b.test'), '2.0.0')
  await all.advance('1 minute')
  const paths = (await found(all, 'carol@c.test')).map(returnPath)
  assert.deepEqual(new Set(paths), new Set(['', 'bob@b.test']))
})

for (const sender of ['alice@a.test', `${LONG}@a.test`]) {
  test(`what cannot be delivered behind two forwarders comes back to ${sender}`, async () => {
    const all = await town()
    await all.send({ from: sender, to: ['lost@b.test'] })
    await all.advance('1 minute')
    const [notice] = await found(all, sender)
    assert.match(notice ?? '', /^Final-Recipient: rfc822; nobody@d\.test\r$/m)
    assert.match(notice ?? '', /^Reporting-MTA: dns; mx\.c\.test\r$/m)
    // Who forwards knows its sender, and tells him itself what the next hop refused.
    await all.send({ from: sender, to: ['gone@b.test'] })
    await all.advance('1 minute')
    assert.match((await found(all, sender))[1] ?? '', /^Reporting-MTA: dns; mx\.b\.test\r$/m)
  })
}

test('only what we signed leads anywhere, for bounces, as long as it is good', async () => {
  const all = await town()
  await all.send({ from: 'alice@a.test', to: ['carol@b.test'] })
  await all.send({ from: `${LONG}@a.test`, to: ['carol@b.test'] })
  await all.advance('1 minute')
  const paths = (await found(all, 'carol@c.test')).map(text => returnPath(text) ?? '')
  const [plain = '', reference = ''] = paths
  assert.match(reference, /^SRS0=.{8}=..==[0-9a-v]{16}@b\.test$/)
  for (const path of paths) {
    assert.equal(await told(all, null, path), '2.0.0')
    assert.equal(await told(all, null, path.toLowerCase()), '2.0.0')
    assert.equal(await told(all, 'x@stranger.test', path), '5.7.1')
    assert.equal(await told(all, null, path.replace('=', '=x')), '5.1.1')
  }
  assert.equal(await told(all, null, plain.replace('=a.test=', '=d.test=')), '5.1.1')
  assert.equal(await told(all, null, plain.replace('@b.test', '@c.test')), '5.7.1')
  assert.equal(await told(all, null, 'SRS0=AAAAAAAA=AA=d.test=dave@b.test'), '5.1.1')
  await all.advance('5 minutes')
  assert.equal((await found(all, 'alice@a.test')).length, 2)
  // The secret outlives the machine.
  all.server('b.test').crash()
  await all.advance('1 minute')
  for (const path of paths) assert.equal(await told(all, null, path), '2.0.0')
  await all.advance('22 days')
  for (const path of paths) assert.equal(await told(all, null, path), '5.1.1')
})

test('where all is taken back, an answer of a person finds the sender too', async () => {
  const all = await town({ srs: { domain: 'b.test', takes: 'all' } })
  await all.send({ from: 'alice@a.test', to: ['carol@b.test'] })
  await all.advance('1 minute')
  const path = returnPath((await found(all, 'carol@c.test'))[0]) ?? ''
  assert.equal(await told(all, 'x@stranger.test', path), '2.0.0')
  await all.advance('1 minute')
  assert.equal(returnPath((await found(all, 'alice@a.test'))[0]), 'x@stranger.test')
})

/** Two servers whose aliases lead to each other. */
function circle(srs = false): Promise<Town> {
  const config = (domain: string) => (srs ? { outbound: { srs: { domain } } } : {})
  return createTown({
    seed: 'circle',
    servers: [
      { domain: 'a.test', accounts: ['alice'] },
      {
        domain: 'b.test',
        accounts: ['bob'],
        aliases: { x: ['y@c.test'], team: ['bob@b.test', 'y@c.test'] },
        config: config('b.test'),
      },
      {
        domain: 'c.test',
        accounts: ['carol'],
        aliases: { y: ['x@b.test'] },
        config: config('c.test'),
      },
    ],
  })
}

for (const [how, srs] of [
  ['as they are', false],
  ['with SRS', true],
] as const) {
  test(`aliases of two servers that lead to each other, ${how}, end at once and are told of`, async () => {
    const all = await circle(srs)
    await all.send({ from: 'alice@a.test', to: ['x@b.test'] })
    await all.advance('5 minutes')
    const notices = await found(all, 'alice@a.test')
    assert.deepEqual(
      notices.map(text => /^Status: (.*)\r$/m.exec(text)?.[1]),
      ['5.4.6'],
    )
    const trail = notices[0]?.match(/^Delivered-To: (?:x@b|y@c)\.test\r$/gm)
    assert.deepEqual(trail, ['Delivered-To: y@c.test\r', 'Delivered-To: x@b.test\r'])
  })
}

test('who is in a loop does not keep the others from their mail', async () => {
  const all = await circle()
  await all.send({ from: 'alice@a.test', to: ['team@b.test', 'x@b.test'] })
  await all.advance('5 minutes')
  assert.equal((await found(all, 'bob@b.test')).length, 1)
  const notices = await found(all, 'alice@a.test')
  assert.ok(notices.length > 0 && notices.every(text => /^Status: 5\.4\.6\r$/m.test(text)))
})

test('a message that has been here before is refused at its end, for others it is taken', async () => {
  const all = await circle()
  const host = all.internet.host({ name: 'stranger.test', addresses: ['203.0.113.9'] })
  const status = async (to: readonly string[], field: string) => {
    const sending = sendMail(host.world, {
      host: 'mx.b.test',
      port: 25,
      tls: 'never',
      hostname: 'stranger.test',
      content: Buffer.from(`${field}\r\nSubject: x\r\n\r\nx\r\n`),
      replyTimeoutMs: 60_000,
      envelope: {
        sender: { reversePath: parseStoredAddress('alice@a.test'), body: '7BIT', utf8: false },
        recipients: to.map(address => ({ forwardPath: parseStoredAddress(address) })),
      },
    })
    return (await all.internet.complete(sending)).outcomes.map(outcome => outcome.status)
  }
  const [bob, both] = [['bob@b.test'], ['bob@b.test', 'postmaster@b.test']]
  assert.deepEqual(await status(bob, 'Delivered-To: BOB@B.test'), ['5.4.6'])
  assert.deepEqual(await status(['x@b.test'], 'Delivered-To: x@b.test'), ['5.4.6'])
  assert.deepEqual(await status(bob, 'Delivered-To: bob+list@b.test'), ['2.0.0'])
  assert.deepEqual(await status(both, 'Delivered-To: bob@b.test'), ['2.0.0', '2.0.0'])
  await all.advance('5 minutes')
  const notices = await found(all, 'alice@a.test')
  assert.ok(notices.some(text => /^Final-Recipient: rfc822; bob@b\.test\r$/m.test(text)))
})

test('a person may send himself again what he has', async () => {
  const all = await circle()
  await all.send({ from: 'bob@b.test', to: ['bob@b.test'], fields: ['Delivered-To: bob@b.test'] })
  assert.equal((await found(all, 'bob@b.test')).length, 1)
})

test('users write from their hosts, and are known by their domain', async () => {
  const all = await createTown({
    seed: 'masquerade',
    servers: [
      {
        domain: 'a.test',
        accounts: ['alice'],
        config: {
          rewrite: { masquerade: ['a.test'], canonical: { '*@old.test': '*@b.test' } },
        },
      },
      { domain: 'b.test', accounts: ['bob'] },
    ],
  })
  const alice = 'alice@ws1.a.test'
  const [host] = all.servers.map(server => server.host)
  await all.internet.complete(
    sendMail(all.internet.host({ name: 'ws1.a.test', addresses: ['203.0.113.8'] }).world, {
      host: host?.name ?? '',
      port: 587,
      tls: 'require',
      login: { username: 'alice@a.test', password: passwordOf('alice@a.test') },
      hostname: 'ws1.a.test',
      content: Buffer.from(`From: ${alice}\r\nTo: bob@old.test\r\nSubject: x\r\n\r\nx\r\n`),
      replyTimeoutMs: 60_000,
      envelope: {
        sender: { reversePath: parseStoredAddress(alice), body: '7BIT', utf8: false },
        recipients: [{ forwardPath: parseStoredAddress('bob@old.test') }],
      },
    }),
  )
  await all.advance('1 minute')
  const [letter] = await found(all, 'bob@b.test')
  assert.equal(returnPath(letter), 'alice@a.test')
  assert.match(letter ?? '', /^From: alice@a\.test\r\nTo: bob@b\.test\r$/m)
  assert.doesNotMatch(letter ?? '', /^(?:Sender|From: .*ws1)/m)
})

/** A sender's server with tags or lists, and one that takes what it sends, and bounces some of it late. */
function tags(outbound: Config['outbound']): Promise<Town> {
  return createTown({
    seed: 'tags',
    servers: [
      { domain: 'a.test', accounts: ['alice', 'news'] },
      { domain: 'b.test', accounts: ['bob', 'news'], config: { outbound } },
      { domain: 'c.test', accounts: ['carol', 'dave'], aliases: { lost: ['nobody@a.test'] } },
    ],
  })
}

test('tags: what we send has one, bounces come back by it, and bounces without one are refused', async () => {
  const all = await tags({ batv: { domains: ['b.test'], untagged: 'refuse' } })
  await all.send({ from: 'bob@b.test', to: ['carol@c.test', 'lost@c.test', 'news@b.test'] })
  await all.advance('1 minute')
  const path = returnPath((await found(all, 'carol@c.test'))[0]) ?? ''
  assert.match(path, /^prvs=0\d{3}[0-9a-f]{6}=bob@b\.test$/)
  // Here it is as it was written.
  assert.equal(returnPath((await found(all, 'news@b.test'))[0]), 'bob@b.test')
  const [notice] = await found(all, 'bob@b.test')
  assert.match(notice ?? '', /^Final-Recipient: rfc822; nobody@a\.test\r$/m)
  assert.equal(await told(all, null, path), '2.0.0')
  assert.equal(await told(all, 'x@stranger.test', path), '2.0.0')
  assert.equal(await told(all, null, 'bob@b.test'), '5.7.1')
  assert.equal(await told(all, null, path.replace('=bob@', '=news@')), '5.1.1')
  assert.equal(await told(all, null, 'postmaster@b.test'), '2.0.0')
  assert.equal(await told(all, 'x@stranger.test', 'bob@b.test'), '2.0.0')
  await all.advance('9 days')
  assert.equal(await told(all, null, path), '5.1.1')
})

for (const [delimiters, first] of [
  ['+=', 'news+carol=c.test@b.test'],
  ['-=', 'news-carol=c.test@b.test'],
] as const) {
  test(`lists: each recipient has a reverse-path of his own, by ${delimiters}, and bounces come to the list`, async () => {
    const all = await tags({ verp: { senders: ['news@b.test'], delimiters } })
    await all.send({ from: 'news@b.test', to: ['carol@c.test', 'dave@c.test'] })
    await all.send({ from: 'bob@b.test', to: ['carol@c.test'] })
    await all.advance('1 minute')
    const paths = (await found(all, 'carol@c.test')).map(returnPath)
    assert.deepEqual(new Set(paths), new Set([first, 'bob@b.test']))
    const [dave = ''] = (await found(all, 'dave@c.test')).map(returnPath)
    assert.equal(dave, first.replace('carol', 'dave'))
    assert.equal(await told(all, null, dave), '2.0.0')
    await all.advance('1 minute')
    // Whose mailbox sees whom it is about, whatever the bounce says.
    const [bounce] = await found(all, 'news@b.test')
    assert.match(bounce ?? '', /^Delivered-To: news\+dave=c\.test@b\.test\r$/m)
  })
}
