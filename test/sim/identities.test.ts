/** Who wrote a message that was submitted under another's name, as it arrives at another server (submission.from). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseStoredAddress } from '../../src/mail/address.ts'
import { sendMail } from '../../src/transport/send.ts'
import { passwordOf } from './server.ts'
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
