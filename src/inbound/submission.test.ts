/** Who may submit as whom, and what a submitted header becomes (RFC 6409 §6, §8). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestRoom } from '../account/account-world.ts'
import type { Exceeded } from '../limit/outgoing.ts'
import { parseStoredAddress } from '../mail/address.ts'
import type { Envelope } from '../mail/envelope.ts'
import { asItCame } from '../message/amend.ts'
import { scanHeader } from '../message/header.ts'
import { identityRules } from '../server/identity-rules.ts'
import { submissionSchema } from '../server/settings/submission.ts'
import type { Peer } from '../smtp/server/question.ts'
import type { Inbound } from './role.ts'
import { submissionRole } from './submission.ts'

async function place(enforceSender = true, written: object = {}, exceeded?: Exceeded) {
  const identities = identityRules(submissionSchema.parse(written))
  const room = await openTestRoom()
  await room.accounts.addDomain('here.example')
  await room.accounts.addAccount('alice@here.example', 'secret')
  await room.accounts.addAccount('bob@here.example', 'secret')
  await room.accounts.addAlias('team@here.example', ['alice@here.example', 'bob@here.example'])
  const address = 'alice@here.example'
  const found = await room.directory.resolve(parseStoredAddress(address))
  assert.equal(found.kind, 'account')
  const inbound = {
    directory: room.directory,
    outgoing: {
      limits: () => exceeded !== undefined,
      looks: async () => exceeded,
      reserve: async () => exceeded,
    },
    settings: () => ({ hostname: 'mx.here.example', enforceSender, identities }),
    world: { clock: room.clock },
    rules: { names: (domain: string) => domain === 'node' },
    onDemand: { takes: () => false },
  } as unknown as Inbound
  const endpoint = { address: '192.0.2.1', port: 25 }
  const stranger: Peer = { remote: endpoint, local: endpoint, hello: 'c', extended: true }
  const account = found.kind === 'account' ? found.account : { id: 0, address }
  const role = submissionRole(inbound)
  const envelope: Envelope = {
    sender: { reversePath: parseStoredAddress(address), body: '7BIT', utf8: false },
    recipients: [],
  }
  const complete = async (peer: Peer, text: string) => {
    const written = await role.authors?.(
      peer,
      envelope.sender,
      asItCame(scanHeader(Buffer.from(text))),
    )
    assert.ok(written)
    if ('kind' in written) return written
    return role.complete(peer, envelope, written.header, { id: 'abc', bodyKey: 1 })
  }
  return { room, role, envelope, complete, stranger, alice: { ...stranger, account } }
}

test('a stranger can neither send nor name a recipient, whatever he says', async () => {
  const { role, envelope, complete, stranger } = await place(false)
  const to = (text: string) => ({ forwardPath: parseStoredAddress(text) })
  const verdicts = [
    await role.mail(stranger, envelope.sender),
    await role.mail(stranger, { ...envelope.sender, reversePath: null }),
    await role.rcpt(stranger, envelope, to('alice@here.example')),
    await role.rcpt(stranger, envelope, to('joe@other.example')),
    await complete(stranger, 'From: alice@here.example\r\n\r\n'),
  ]
  for (const verdict of verdicts) {
    assert.equal('code' in verdict && `${verdict.code} ${verdict.detail}`, '530 7.0')
  }
})

test('who has sent as much as he may hears how much that is', async () => {
  for (const [exceeded, text] of [
    [{ what: 'messages', most: 2, per: 'hour' }, '450 no more than 2 messages in an hour'],
    [{ what: 'messages', most: 1, per: 'day' }, '450 no more than 1 message in a day'],
    [{ what: 'recipients', most: 100, per: 'hour' }, '452 no more than 100 recipients in an hour'],
  ] as const) {
    const { role, envelope, alice } = await place(true, {}, exceeded)
    const verdict = await role.mail(alice, envelope.sender)
    assert.equal('code' in verdict && `${verdict.code} ${verdict.text}`, text)
  }
})

for (const { from, code } of [
  { from: 'alice@here.example', code: undefined },
  { from: 'ALICE@HERE.example', code: undefined },
  { from: 'alice+list@here.example', code: undefined },
  { from: 'team@here.example', code: undefined },
  { from: null, code: undefined },
  { from: 'bob@here.example', code: 550 },
  { from: 'bob+alice@here.example', code: 550 },
  { from: 'nobody@here.example', code: 550 },
  { from: 'alice@other.example', code: 550 },
  { from: 'alice@[192.0.2.1]', code: 550 },
]) {
  test(`MAIL from ${from ?? '<>'} is ${code ?? 'taken'}`, async () => {
    const { role, envelope, alice } = await place()
    const reversePath = from === null ? null : parseStoredAddress(from)
    const verdict = await role.mail(alice, { ...envelope.sender, reversePath })
    assert.equal('code' in verdict ? verdict.code : undefined, code)
  })
}

const headers: readonly [string, number | undefined][] = [
  ['From: alice@here.example', undefined],
  ['From: "A, B" <Alice+tag@HERE.example> (c)', undefined],
  ['From: team@here.example', undefined],
  ['From: joe@other.example', undefined],
  ['From: joe@other.example\r\nSender: alice@here.example', undefined],
  ['Subject: no author', undefined],
  ['From: bob@here.example', 550],
  ['FROM:bob@here.example', 550],
  ['From : bob@here.example', 550],
  ['From:\r\n bob@here.example', 550],
  ['From: "bob"@here.example', 550],
  ['From: alice@here.example, bob@here.example', 550],
  ['From: alice@here.example\r\n\t, bob@here.example', 550],
  ['From: "alice@here.example" <bob@here.example>', 550],
  ['From: (alice@here.example) bob@here.example', 550],
  ['X: y\r\nFrom: bob@here.example', 550],
  ['From: alice@here.example\r\nSender: bob@here.example', 550],
  ['From: alice@here.example\r\nSender: joe@other.example', 550],
  ['From: joe@other.example\r\nSender: joe@other.example', 550],
  ['From: alice@here.example\r\nResent-From: bob@here.example', 550],
  ['From: alice@here.example\r\nFrom: alice@here.example', 554],
  ['From: undisclosed:;', 554],
  ['From: no address', 554],
  ['From: root, bob@here.example', 550],
]
for (const [header, code] of headers) {
  test(`a header with ${JSON.stringify(header)} is ${code ?? 'taken'}`, async () => {
    const { complete, alice } = await place()
    const completion = await complete(alice, `${header}\r\n\r\n`)
    assert.equal('code' in completion ? completion.code : undefined, code)
  })
}

for (const [header, ...added] of [
  ['From: alice@here.example', 'Date', 'Message-ID'],
  ['From: team@here.example', 'Date', 'Message-ID'],
  ['From: joe@other.example', 'Date', 'Message-ID', 'Sender: alice@here.example'],
  ['From: alice@here.example, joe@other.example', 'Date', 'Message-ID', 'Sender: alice'],
  ['Subject: no author', 'Date', 'From: alice@here.example', 'Message-ID'],
  ['Date: x\r\nMessage-ID: <y@z>\r\nFrom: alice@here.example'],
]) {
  test(`a header with ${JSON.stringify(header)} is completed`, async () => {
    const { complete, alice } = await place()
    const completion = await complete(alice, `${header}\r\n\r\n`)
    const lines = 'fields' in completion ? completion.fields.split('\r\n').slice(0, -1) : ['none']
    assert.equal(lines.length, added.length, lines.join('\n'))
    for (const [index, line] of lines.entries()) assert.ok(line.startsWith(added[index] ?? '?'))
  })
}

const FROM = (address: string) => `From: ${address}\r\nDate: x\r\nMessage-ID: <1@x>\r\n\r\n`

test('an account may write as what the config gives it, and on behalf of whom it says with a Sender', async () => {
  const { role, alice, complete } = await place(true, {
    identities: { 'alice@here.example': ['news-*@here.example', '@lab.example'] },
    onBehalf: { '@here.example': 'bob@here.example' },
  })
  const mail = (text: string) =>
    role.mail(alice, { reversePath: parseStoredAddress(text), body: '7BIT', utf8: false })
  const rows = [
    ['alice@here.example', 'accept', ''],
    ['alice+list@here.example', 'accept', ''],
    ['team@here.example', 'accept', ''],
    ['news-may@here.example', 'accept', ''],
    ['Anybody@LAB.example', 'accept', ''],
    ['bob@here.example', 'accept', 'Sender: alice@here.example\r\n'],
    ['nobody@here.example', 'refuse', undefined],
  ] as const
  for (const [address, verdict, fields] of rows) {
    assert.equal((await mail(address)).kind, verdict, address)
    const completion = await complete(alice, FROM(`"A, B" <${address}>`))
    assert.equal(completion.kind === 'complete' ? completion.fields : undefined, fields, address)
  }
  assert.equal((await mail('x@elsewhere.example')).kind, 'refuse')
  // Of several authors each must be hers; a group's members are authors like others.
  const both = await complete(alice, FROM('alice@here.example, bob@here.example'))
  assert.deepEqual(both, { kind: 'complete', fields: 'Sender: alice@here.example\r\n' })
  const group = await complete(alice, FROM('Us: alice@here.example, carol@here.example;'))
  assert.equal(group.kind, 'refuse')
  // Sender is never somebody on whose behalf one writes; nor is Resent-Sender.
  for (const field of ['Sender', 'Resent-Sender']) {
    const header = `${field}: bob@here.example\r\n${FROM('bob@here.example')}`
    assert.equal((await complete(alice, header)).kind, 'refuse', field)
  }
})

test('rows give it the same as the config does, until they are taken back', async () => {
  const { complete, alice, room } = await place()
  const leaves = async (from: string) => {
    const completion = await complete(alice, FROM(from))
    return completion.kind === 'complete' ? completion.fields : completion.kind
  }
  const give = (pattern: string, delegate: boolean) =>
    room.identities.add('alice@here.example', { pattern, delegate })
  assert.equal(await leaves('bob@here.example'), 'refuse')
  await give('bob@here.example', true)
  assert.equal(await leaves('bob@here.example'), 'Sender: alice@here.example\r\n')
  await give('bob@here.example', false)
  assert.equal(await leaves('bob@here.example'), '')
  await room.identities.remove('alice@here.example', 'bob@here.example')
  assert.equal(await leaves('bob@here.example'), 'refuse')
  for (let n = 0; n < 200; n++) await give(`x${n}@here.example`, false)
  assert.equal((await give('x200@here.example', false)).kind, 'refused')
  assert.equal((await give('x199@here.example', true)).kind, 'changed')
})

test('what an account may not use is refused, let through under its name, or replaced by it, as the config says', async () => {
  const strict = await place(true, { foreignFrom: 'reject' })
  assert.equal((await strict.complete(strict.alice, FROM('x@elsewhere.example'))).kind, 'refuse')
  const mild = await place(true, { from: 'sender', mailFrom: 'rewrite' })
  const written = await mild.complete(mild.alice, FROM('carol@here.example'))
  assert.deepEqual(written, { kind: 'complete', fields: 'Sender: alice@here.example\r\n' })
  const path = parseStoredAddress('x@elsewhere.example')
  const sender = { reversePath: path, body: '7BIT', utf8: false } as const
  assert.equal((await mild.role.mail(mild.alice, sender)).kind, 'accept')
  const envelope = { sender, recipients: [] }
  const header = scanHeader(Buffer.from(FROM('alice@here.example')))
  const identity = { id: 'abc', bodyKey: 1 }
  const completed = await mild.role.complete(mild.alice, envelope, header, identity)
  assert.deepEqual(
    completed.kind === 'complete' && completed.reversePath,
    parseStoredAddress('alice@here.example'),
  )
})

test('a recipient at a domain of one label is refused, unless it is ours or the config names it (RFC 6409 §4.2)', async () => {
  const { room, role, envelope, alice } = await place()
  await room.accounts.addDomain('office')
  await room.accounts.addAccount('alice@office', 'secret')
  const said = async (text: string) => {
    const verdict = await role.rcpt(alice, envelope, { forwardPath: parseStoredAddress(text) })
    return verdict.kind === 'accept' ? 'taken' : `${verdict.code} ${verdict.detail}`
  }
  assert.equal(await said('bob@sales'), '554 1.2')
  assert.equal(await said('bob@sales.example'), 'taken')
  assert.equal(await said('bob@[192.0.2.1]'), 'taken')
  assert.equal(await said('alice@office'), 'taken')
  assert.equal(await said('nobody@office'), '550 1.1')
  assert.equal(await said('bob@node'), 'taken')
})
