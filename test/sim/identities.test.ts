/**
 * Who may write as whom: authors written anew arrive so at another server (submission.from), and what an operator gives
 * an account at one node is so at the other from then on.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseStoredAddress } from '../../src/mail/address.ts'
import { operations } from '../../src/server/control.ts'
import { ExitError } from '../../src/server/exit-error.ts'
import { contextOf } from '../../src/server/operation/context.ts'
import { sendMail } from '../../src/transport/send.ts'
import { passwordOf } from './residents.ts'
import { createTown } from './town.ts'

const ALICE = 'alice@a.test'

test('authors written anew arrive so, in small messages and in large ones, and nothing else is changed', async () => {
  const town = await createTown({
    seed: 'identities',
    servers: [
      {
        domain: 'a.test',
        accounts: ['alice', 'boss'],
        config: {
          submission: { mailFrom: 'rewrite', from: 'rewrite', foreignFrom: 'rewrite' },
          rewrite: { masquerade: ['a.test'] },
        },
      },
      { domain: 'b.test', accounts: ['bob'] },
    ],
  })
  const { internet } = town
  const send = async (lines: readonly string[]) => {
    const content = Buffer.from(`${lines.join('\r\n')}\r\n`)
    const { outcomes } = await internet.complete(
      sendMail(town.user(ALICE).world, {
        host: 'mx.a.test',
        port: 587,
        tls: 'require',
        login: { username: ALICE, password: passwordOf(ALICE) },
        hostname: 'desk.test',
        content,
        envelope: {
          sender: { reversePath: parseStoredAddress('x@far.test'), body: '7BIT', utf8: false },
          recipients: [{ forwardPath: parseStoredAddress('bob@b.test') }],
        },
        sizeOctets: content.length,
      }),
    )
    assert.equal(outcomes[0]?.kind, 'delivered')
    await town.advance('1 minute')
    const [letter] = (await internet.complete(town.user('bob@b.test').read())).slice(-1)
    return Buffer.from(letter?.octets ?? '').toString()
  }
  const rest = ['Date: Thu, 01 Jan 2026 00:00:00 +0000', 'Message-ID: <1@x>', 'To: bob@b.test']
  // The last of them stays in the database, the others are staged on disk.
  for (const octets of [400_000, 270_000, 140_000, 20]) {
    const body = [
      '',
      'From: boss@a.test',
      'x'
        .repeat(70)
        .concat('\r\n')
        .repeat(octets / 72),
    ]
    const text = await send([
      'From: "The boss" <boss@ws.a.test>',
      'Sender: x@far.test',
      ...rest,
      ...body,
    ])
    const at = text.indexOf('From: ')
    const expected = [
      'From: The boss <alice@a.test>',
      'X-Original-From: The boss <boss@a.test>',
      ...rest,
      ...body,
    ]
    assert.equal(text.slice(at), `${expected.join('\r\n')}\r\n`)
    assert.match(text, /^Return-Path: <alice@a\.test>\r\n/)
  }
  // Nobody's, and his own.
  assert.match(await send(['Subject: none', ...rest, '', 'x']), /\r\nFrom: alice@a\.test\r\n/)
  const own = ['From: Alice <alice@a.test>', ...rest, '', 'x']
  assert.ok((await send(own)).endsWith(`${own.join('\r\n')}\r\n`))
})

test('what is given at one node is granted at the other, and taken back there, while both go on', async () => {
  const town = await createTown({
    seed: 'identities',
    servers: [
      {
        domain: 'a.test',
        accounts: ['alice', 'boss'],
        nodes: 2,
        config: { submission: { onBehalf: { '@a.test': '@desk.test' } } },
      },
    ],
  })
  const { internet } = town
  const [first, second] = town.nodes
  assert.ok(first && second)
  const ask = <Name extends 'add' | 'list' | 'remove'>(
    verb: Name,
    pattern = '',
    delegate = false,
  ) =>
    internet.complete(
      Promise.resolve(
        operations[`account.identity.${verb}`](contextOf(first.house), {
          address: ALICE,
          pattern,
          delegate,
        }),
      ),
    )
  const send = async (from: string) => {
    const content = Buffer.from(`From: ${from}\r\n\r\nx\r\n`)
    const { outcomes } = await internet.complete(
      sendMail(town.user('boss@a.test').world, {
        host: second.name,
        port: 587,
        tls: 'require',
        login: { username: ALICE, password: passwordOf(ALICE) },
        hostname: 'desk.test',
        content,
        envelope: {
          sender: { reversePath: parseStoredAddress(from), body: '7BIT', utf8: false },
          recipients: [{ forwardPath: parseStoredAddress('boss@a.test') }],
        },
        sizeOctets: content.length,
      }),
    )
    await town.advance('1 minute')
    return outcomes[0]?.kind
  }
  assert.equal(await send('boss@a.test'), 'failed')
  await ask('add', 'BOSS@a.test')
  await ask('add', '*@Lab.test', true)
  await town.advance('1 second')
  assert.equal(await send('boss@a.test'), 'delivered')
  assert.equal(await send('any@lab.test'), 'delivered')
  const read = await internet.complete(town.user('boss@a.test').read())
  const texts = read.map(({ octets }) => Buffer.from(octets).toString())
  assert.deepEqual(
    texts.map(text => /^Sender: (.*)\r$/m.exec(text)?.[1]),
    [undefined, ALICE],
  )
  const { identities } = (await ask('list')) as { identities: readonly unknown[] }
  assert.deepEqual(identities, [
    { pattern: '@lab.test', delegate: true, origin: 'rows' },
    { pattern: 'boss@a.test', delegate: false, origin: 'rows' },
    { pattern: '@desk.test', delegate: true, origin: 'file' },
  ])
  await ask('remove', 'boss@A.test')
  await town.advance('1 second')
  assert.equal(await send('boss@a.test'), 'failed')
  for (const pattern of ['boss', '<>', 'a b@c', 'boss@a.test']) {
    await assert.rejects(ask('remove', pattern), ExitError)
  }
})
