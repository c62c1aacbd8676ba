/** No spelling of an address relays for a stranger (RFC 5321 §3.6, §7.1), and postmaster is always here. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestRoom } from '../account/account-world.ts'
import { parseForwardPath } from '../smtp/path.ts'
import type { Peer } from '../smtp/server/question.ts'
import type { Transit } from '../transit/transit.ts'
import { meantBy } from './meant.ts'
import { judgeRecipient } from './recipient.ts'

const peer: Peer = {
  remote: { address: '192.0.2.9', port: 40_000 },
  local: { address: '192.0.2.1', port: 25 },
  hello: 'client.example',
  extended: true,
}

/** The verdict's code for a path as it stands in RCPT; 501 where it is none, 250 where it is taken. */
async function codeOf(
  path: string,
  relays: boolean,
  at: Peer = peer,
  routes = { percent: false, uucp: false },
): Promise<number> {
  const parsed = parseForwardPath(path)
  if (!parsed.ok || parsed.address === null || parsed.next !== path.length) return 501
  const { directory } = await room
  const { recipient } = await meantBy(
    { directory, transit },
    { peer: at, sender: { reversePath: null, body: '7BIT', utf8: false }, routes },
    { forwardPath: parsed.address },
  )
  const verdict = await judgeRecipient(directory, recipient.forwardPath, relays)
  return 'code' in verdict ? verdict.code : 250
}

const transit = { arriving: () => undefined } as unknown as Transit
const ALL = { percent: true, uucp: true }

const room = (async () => {
  const opened = await openTestRoom({ hostname: 'mail.here.example' })
  await opened.accounts.addDomain('here.example')
  await opened.accounts.addAccount('alice@here.example', 'secret')
  return opened
})()

const foreign = `<u@there.example> <@here.example:u@there.example> <@here.example,@x.example:u@there.example>
<u%there.example@here.example> <there.example!u@here.example> <"u@there.example"@here.example>
<"u%there.example"@here.example> <u%there.example@[192.0.2.1]> <"u@there.example"@[192.0.2.1]>
<"u@there.example"> <u@there.example@here.example> <u@[192.0.2.77]> <u@[IPv6:2001:db8::1]> <u@localhost>
<u@127.0.0.1> <u@here.example.> <u@here.example.there.example> <u@sub.here.example> <u@nothere.example>
<u@here.example:25> <u%there.example> <alice@here.example@there.example> <alice%here.example@there.example>
<nobody@here.example,u@there.example> <nobody@here.example><u@there.example> <u@here\u3002example>
<u@h\u0435re.example> <there.example!here.example!u> <here.example!u@there.example> <u@there.example%here.example>
<"alice@here.example"@there.example> <""@there.example> <postmaster@there.example> <abuse@there.example>
<alice@there.example> <u@0> <u@0x7f000001> <u@[127.1]> <u@[0177.0.0.1]> <u@[127.0.0.1]> <u@[::1]>
<u@[IPv6:::1]> <mailto:u@there.example> <u\\@there.example@here.example> <alice@here.example;u@there.example>
<|/bin/sh@here.example> </etc/passwd@here.example> <"|cat"@here.example> <:include:/etc/passwd@here.example>
<"u@there.example\\"@here.example> <@localhost:u@there.example> <u@HERE.EXAMPLE.THERE.EXAMPLE> <>
u@there.example <u@there.example <@there.example:nobody@here.example> <abuse> <alice>`
for (const path of foreign.split(/\s+/)) {
  test(`a stranger's mail to ${path} goes nowhere`, async () => {
    assert.ok((await codeOf(path, false)) >= 500)
    // Nor where routes are read: who may not relay may not relay by them.
    assert.ok((await codeOf(path, false, peer, ALL)) >= 500)
  })
}

for (const path of [
  '<alice@here.example>',
  '<ALICE@HERE.EXAMPLE>',
  '<"alice"@here.example>',
  '<"al\\ice"@here.example>',
  '<alice+list@here.example>',
  '<@there.example,@x.example:alice@here.example>',
  '<postmaster>',
  '<PostMaster>',
  '<Postmaster@Here.Example>',
  '<abuse@here.example>',
  '<postmaster@[192.0.2.1]>',
  '<Postmaster@[192.0.2.1]>',
  '<alice@[192.0.2.1]>',
  '<Alice+list@[IPv6:::ffff:192.0.2.1]>',
  '<abuse@[192.0.2.1]>',
]) {
  test(`mail to ${path} is taken`, async () => assert.equal(await codeOf(path, false), 250))
}

test('our own address in brackets is never relayed to, also not for who may relay', async () => {
  assert.equal(await codeOf('<u@there.example>', true), 250)
  assert.equal(await codeOf('<u@[192.0.2.77]>', true), 250)
  assert.equal(await codeOf('<u@[192.0.2.1]>', true), 550)
  const six = { ...peer, local: { address: '2001:DB8::1', port: 25 } }
  assert.equal(await codeOf('<postmaster@[IPv6:2001:db8::1]>', false, six), 250)
  const mapped = { ...peer, local: { address: '::ffff:192.0.2.1', port: 25 } }
  assert.equal(await codeOf('<postmaster@[192.0.2.1]>', false, mapped), 250)
  for (const other of ['[IPv6:::ffff:192.0.2.1]', '[IPv6:0:0:0:0:0:FFFF:C000:201]']) {
    assert.equal(await codeOf(`<postmaster@${other}>`, false), 250, other)
    assert.equal(await codeOf(`<u@${other}>`, true), 550, other)
  }
  assert.equal(await codeOf('<u@[IPv6:2001:db8:0::0:1]>', true, six), 550)
})

/** A route, and what it means where it is read: the code for who may not relay, and for who may. */
const ROUTES: readonly (readonly [string, number, number])[] = [
  ['<alice%here.example@here.example>', 250, 250],
  ['<alice%here.example%here.example@here.example>', 250, 250],
  ['<here.example!alice@here.example>', 250, 250],
  ['<here.example!here.example!alice+x@here.example>', 250, 250],
  ['<there.example!u@here.example>', 550, 250],
  ['<here.example!there.example!u@here.example>', 550, 250],
  ['<u%there.example@here.example>', 550, 250],
  ['<u%there.example%here.example@here.example>', 550, 250],
  ['<seismo!u@here.example>', 550, 250],
  // Nobody here, no host, no agreement.
  ['<bob%here.example@here.example>', 550, 550],
  ['<there.example!u%here.example@here.example>', 550, 550],
  ['<!u@here.example>', 550, 550],
  ['<u!@here.example>', 550, 550],
  ['<"u@x!y z"@here.example>', 550, 550],
  [`<${'here.example!'.repeat(4)}alice@here.example>`, 250, 250],
  [`<${'h%'.repeat(20)}h@here.example>`, 550, 250],
  // What is not ours is not read.
  ['<here.example!alice@there.example>', 550, 250],
]
for (const [path, stranger, user] of ROUTES) {
  test(`${path} is read as a route where that is wanted`, async () => {
    assert.equal(await codeOf(path, false, peer, ALL), stranger)
    assert.equal(await codeOf(path, true, peer, ALL), user)
    // Elsewhere it is a name of nobody.
    const code = await codeOf(path, true)
    assert.equal(code, path.endsWith('@there.example>') ? 250 : 550)
  })
}

test('each kind of route is read for itself', async () => {
  const one = (percent: boolean, path: string) =>
    codeOf(path, false, peer, { percent, uucp: !percent })
  assert.equal(await one(true, '<alice%here.example@here.example>'), 250)
  assert.equal(await one(false, '<alice%here.example@here.example>'), 550)
  assert.equal(await one(false, '<here.example!alice@here.example>'), 250)
  assert.equal(await one(true, '<here.example!alice@here.example>'), 550)
})

for (const [name, targets, status] of [
  ['circle', ['round@here.example'], '4.6'],
  ['dead', ['nobody@here.example', 'noone@here.example'], '1.1'],
] as const) {
  test(`what cannot be delivered is refused while the sender is here: ${name}`, async () => {
    const { accounts, directory } = await room
    await accounts.addAlias(`${name}@here.example`, targets)
    await accounts.addAlias('round@here.example', ['circle@here.example'])
    const verdict = await judgeRecipient(directory, { local: name, domain: 'here.example' }, false)
    assert.deepEqual('code' in verdict && [verdict.code, verdict.detail], [550, status])
  })
}
