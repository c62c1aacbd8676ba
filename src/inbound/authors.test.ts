/** What becomes of authors whom a user may not name, where policy writes them anew. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestRoom } from '../account/account-world.ts'
import { amend, asItCame } from '../message/amend.ts'
import { rangesOf } from '../message/complete.ts'
import { scanHeader } from '../message/header.ts'
import { identityRules } from '../server/identity-rules.ts'
import { submissionSchema } from '../server/settings/submission.ts'
import { judgeAuthors } from './authors.ts'
import type { Inbound } from './role.ts'

const room = (async () => {
  const opened = await openTestRoom()
  await opened.accounts.addDomain('here.example')
  await opened.accounts.addAccount('alice@here.example', 'secret')
  await opened.accounts.addAccount('bob@here.example', 'secret')
  await opened.accounts.addAlias('team@here.example', ['alice@here.example', 'bob@here.example'])
  return opened
})()

const REWRITE = { from: 'rewrite', foreignFrom: 'rewrite' }

/** The header as it leaves, or the reply. */
async function leaves(text: string, policy: object = REWRITE): Promise<string> {
  const { directory } = await room
  const found = await directory.resolve({ local: 'alice', domain: 'here.example' })
  assert.equal(found.kind, 'account')
  const account = found.kind === 'account' ? found.account : { id: 0, address: '' }
  const identities = identityRules(submissionSchema.parse(policy))
  const settings = () => ({ enforceSender: true, identities })
  const octets = Buffer.from(text)
  const header = scanHeader(octets)
  const written = await judgeAuthors(
    { directory, settings } as unknown as Inbound,
    account,
    asItCame(header),
  )
  if ('kind' in written) return `${written.code} ${written.text}`
  const ranges = rangesOf(header, [], written.omitted)
  const left = ranges.reduceRight(
    (rest, { from, to }) => Buffer.concat([rest.subarray(0, from), rest.subarray(to)]),
    octets,
  )
  const whole = written.front.join('') + left.toString()
  assert.deepEqual(
    scanHeader(Buffer.from(whole)).fields.map(({ name }) => name),
    written.header.fields.map(({ name }) => name),
    'the header that is judged further is the one that leaves',
  )
  return whole
}

const NOT_HIS = 'not an address of alice@here.example'

for (const [name, before, after] of [
  ['his own stays as it is', 'From: (c) Alice <ALICE@here.example>', undefined],
  ['an alias of his stays', 'From: team@here.example', undefined],
  [
    'a bare address is replaced',
    'From: bob@here.example',
    'From: alice@here.example\r\nX-Original-From: bob@here.example',
  ],
  [
    'the display name stays, quoted where it must be',
    'From: "Bob, of the lab" <bob@elsewhere.example>',
    'From: "Bob, of the lab" <alice@here.example>\r\nX-Original-From: "Bob, of the lab" <bob@elsewhere.example>',
  ],
  [
    'an encoded display name stays encoded',
    'From: =?ISO-8859-1?Q?J=F6rg?= <bob@here.example>',
    'From: =?UTF-8?Q?J=C3=B6rg?= <alice@here.example>\r\nX-Original-From: =?ISO-8859-1?Q?J=F6rg?= <bob@here.example>',
  ],
  [
    'one of an unknown charset is shown as nobody could read it',
    'From: =?x-unknown?Q?J=F6rg?= <bob@here.example>',
    'From: =?UTF-8?Q?=3D=3Fx-unknown=3FQ=3FJ=3DF6rg=3F=3D?= <alice@here.example>\r\nX-Original-From: =?x-unknown?Q?J=F6rg?= <bob@here.example>',
  ],
  [
    'a folded field, a comment, white space before the colon',
    'From :\r\n\t=?utf-8?q?B?=\r\n (he) <bob\r\n @here.example>',
    'From: B <alice@here.example>\r\nX-Original-From: =?utf-8?q?B?= (he) <bob @here.example>',
  ],
  [
    'an address in UTF-8 is told in ASCII',
    'From: Jörg <jörg@bücher.example>',
    'From: =?UTF-8?Q?J=C3=B6rg?= <alice@here.example>\r\nX-Original-From: =?UTF-8?Q?J=C3=B6rg_=3Cj=C3=B6rg=40b=C3=BCcher=2Eexample=3E?=',
  ],
  [
    'of several the first becomes his, the others go',
    'From: Bob <bob@here.example>, c@elsewhere.example',
    'From: Bob <alice@here.example>\r\nX-Original-From: Bob <bob@here.example>, c@elsewhere.example',
  ],
  [
    'beside his own others go, and aliases of his stay',
    'From: bob@here.example, team@here.example, Alice <alice@here.example>',
    'From: team@here.example, Alice <alice@here.example>\r\nX-Original-From: bob@here.example, team@here.example, Alice\r\n <alice@here.example>',
  ],
  [
    'a group stays one, of those who are left',
    'From: Us: Bob <bob@here.example>, team@here.example;, Them: x@elsewhere.example;',
    'From: Us: Bob <alice@here.example>, team@here.example;\r\nX-Original-From: Us: Bob <bob@here.example>, team@here.example;, Them:\r\n x@elsewhere.example;',
  ],
  [
    'a Sender that names another goes',
    'From: bob@here.example\r\nSender: Bob <bob@here.example>',
    'From: alice@here.example\r\nX-Original-From: bob@here.example',
  ],
  [
    'who sent on is replaced too',
    'Resent-From: bob@here.example\r\nResent-Sender: c@elsewhere.example\r\nFrom: alice@here.example',
    'Resent-From: alice@here.example\r\nX-Original-Resent-From: bob@here.example\r\nFrom: alice@here.example',
  ],
  ['without From nothing is judged', 'Subject: hi', undefined],
  // What has a fault is refused for it by who completes the header (RFC 6409 §8), and not mended before.
  [
    'two From fields are left for that',
    'From: alice@here.example\r\nFrom: alice@here.example',
    undefined,
  ],
  ['nobody in From is left for that', 'From: undisclosed:;', undefined],
  [
    'a broken From with another in it is refused',
    'From: bob@here.example, <<',
    `550 From bob@here.example: ${NOT_HIS}`,
  ],
] as const) {
  test(`written anew: ${name}`, async () => {
    const rest = 'Subject: From: x@y\r\nTo: bob@here.example\r\n\r\nFrom: bob@here.example\r\n'
    const told = await leaves(`${before}\r\n${rest}`)
    assert.equal(told, after?.startsWith('550') ? after : `${after ?? before}\r\n${rest}`)
  })
}

test('authors here and elsewhere each have their own policy', async () => {
  const [ours, foreign] = ['From: bob@here.example\r\n\r\n', 'From: x@elsewhere.example\r\n\r\n']
  const policy = { from: 'reject', foreignFrom: 'rewrite' }
  assert.match(await leaves(ours, policy), /^550/)
  assert.match(await leaves(foreign, policy), /^From: alice@/)
  const other = { from: 'rewrite', foreignFrom: 'sender' }
  assert.match(await leaves(ours, other), /^From: alice@/)
  assert.equal(await leaves(foreign, other), foreign)
})

test('a From that is longer than may be written anew is refused, and a hidden one is found', async () => {
  const words = `${'x'.repeat(990)} `
  assert.match(await leaves(`From: ${words} <bob@here.example>\r\n\r\n`), /^From: =\?UTF-8\?/)
  const long = 'y'.repeat(980)
  assert.match(await leaves(`From: bob@here.example, "${long}"@a.example\r\n\r\n`), /^From: alice@/)
})

test('a header is amended twice, and what was too large is so still', () => {
  const octets = Buffer.from('From: a@b\r\nTo: c@d\r\nCc: e@f\r\n')
  const header = scanHeader(octets, { partial: true })
  const fieldOf = (from: ReturnType<typeof asItCame>, name: string) => {
    const field = from.header.all(name)[0]
    assert.ok(field)
    return field
  }
  const came = asItCame(header)
  const once = amend(came, new Map([[fieldOf(came, 'to'), ['To: x@y\r\n']]]))
  const changes = new Map([
    [fieldOf(once, 'to'), ['To: z@z\r\n', 'X-Old: x@y\r\n']],
    [fieldOf(once, 'cc'), []],
  ])
  const twice = amend(once, changes)
  assert.deepEqual(twice.front, ['To: z@z\r\n', 'X-Old: x@y\r\n'])
  assert.deepEqual(
    twice.omitted.map(({ name }) => name),
    ['to', 'cc'],
  )
  assert.deepEqual(
    twice.header.fields.map(({ name }) => name),
    ['to', 'x-old', 'from'],
  )
  assert.equal(twice.header.end, 'cut')
})
