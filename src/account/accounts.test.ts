import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writer } from '../store/store.ts'
import { openTestRoom } from './account-world.ts'

const reasonOf = (result: { readonly kind: string; readonly reason?: string }) =>
  result.reason ?? result.kind

test('what the rows or the words say against a change is an answer', async () => {
  const { accounts } = await openTestRoom()
  const steps: readonly (readonly [() => Promise<{ kind: string; reason?: string }>, string])[] = [
    [() => accounts.addAccount('alice@example.org', 'secret'), 'missing'],
    [() => accounts.addAlias('sales@example.org', ['x@y.example']), 'missing'],
    [() => accounts.addDomain('example..org'), 'invalid'],
    [() => accounts.addDomain('Example.ORG', 'nobody'), 'invalid'],
    [() => accounts.addDomain('Example.ORG'), 'done'],
    [() => accounts.addDomain('example.org'), 'exists'],
    [() => accounts.addAccount('alice', 'secret'), 'invalid'],
    [() => accounts.addAccount('alice@example.org', ''), 'invalid'],
    [() => accounts.addAccount('alice@example.org', 'a\0b'), 'invalid'],
    [() => accounts.addAccount('alice@example.org', 'secret'), 'added'],
    [() => accounts.addAccount('ALICE@example.org', 'secret'), 'exists'],
    [() => accounts.addAlias('alice@example.org', ['x@y.example']), 'exists'],
    [() => accounts.addAlias('sales@example.org', []), 'invalid'],
    [() => accounts.addAlias('sales@example.org', ['x@y.example', 'nobody']), 'invalid'],
    [() => accounts.addAlias('sales@example.org', ['x@y.example', 'X@y.example']), 'done'],
    [() => accounts.addAlias('sales@example.org', ['X@y.example']), 'exists'],
    [() => accounts.addAlias('sales@example.org', ['X@y.example', 'z@y.example']), 'done'],
    [() => accounts.addAccount('sales@example.org', 'secret'), 'exists'],
    [() => accounts.removeDomain('example.org'), 'in use'],
    [() => accounts.removeDomain('example.net'), 'missing'],
    [() => accounts.removeAlias('sales@example.org', ['nobody@y.example']), 'missing'],
    [() => accounts.removeAlias('sales@example.org', ['Z@Y.example']), 'done'],
    [() => accounts.removeAlias('sales@example.org'), 'done'],
    [() => accounts.removeAlias('sales@example.org'), 'missing'],
    [() => accounts.setPassword('bob@example.org', 'secret'), 'missing'],
    [() => accounts.setPassword('alice@example.org', ''), 'invalid'],
    [() => accounts.disable('bob@example.org'), 'missing'],
    [() => accounts.enable('alice'), 'invalid'],
    [() => accounts.removeAccount('bob@example.org'), 'missing'],
    [() => accounts.removeAccount('alice@example.org'), 'changed'],
    [() => accounts.setCatchAll('example.org', 'x@y.example'), 'done'],
    [() => accounts.setCatchAll('example.net', 'x@y.example'), 'missing'],
    [() => accounts.removeDomain('EXAMPLE.org'), 'done'],
  ]
  for (const [i, [step, expected]] of steps.entries())
    assert.equal(reasonOf(await step()), expected, `step ${i}`)
})

test('an id is never given again, nor an account with mail removed', async () => {
  const { accounts, store } = await openTestRoom()
  await accounts.addDomain('example.org')
  assert.deepEqual(await accounts.addAccount('a@example.org', 'x'), { kind: 'added', id: 1 })
  assert.deepEqual(await accounts.removeAccount('a@example.org'), { kind: 'changed', id: 1 })
  assert.deepEqual(await accounts.addAccount('a@example.org', 'x'), { kind: 'added', id: 2 })
  const receive = writer<number, null>('test/receive', async (tx, id) => {
    await tx.run(
      `INSERT INTO mailbox (id, account_id, name, uid_validity, uid_next, mod_seq)
       VALUES (1, ?1, 'INBOX', 1, 2, 1)`,
      id,
    )
    await tx.run(
      `INSERT INTO mailbox_message (mailbox_id, uid, mod_seq, message_id, body_id, head, size_octets, internal_date)
       VALUES (1, 1, 1, 'm', 1, ?1, 0, :now)`,
      new Uint8Array(0),
    )
    return null
  })
  await store.write(receive, 2)
  assert.equal(reasonOf(await accounts.removeAccount('a@example.org')), 'in use')
})

test('an alias that would lead to itself is refused', async () => {
  const { accounts } = await openTestRoom()
  for (const targets of [['a@example.org'], ['b@example.org', 'A@Example.ORG']]) {
    assert.equal(reasonOf(await accounts.addAlias('a@example.org', targets)), 'invalid')
  }
  assert.deepEqual(await accounts.aliases(), [])
})

test('the file declares domains and aliases, and only the file takes them back', async () => {
  const { accounts, directory } = await openTestRoom()
  await accounts.addDomain('hand.example')
  await accounts.addAccount('bob@hand.example', 'secret')
  const declared = await accounts.declare({
    domains: [{ name: 'File.example', catchAll: 'bob@hand.example' }, { name: 'two.example' }],
    aliases: [
      { address: 'sales@file.example', targets: ['bob@hand.example', 'Out@side.example'] },
      { address: 'all@hand.example', targets: ['sales@file.example'] },
    ],
  })
  assert.deepEqual(declared, { kind: 'declared' })
  assert.deepEqual(await accounts.domains(), [
    { name: 'file.example', catchAll: 'bob@hand.example', origin: 'file' },
    { name: 'hand.example', origin: 'rows' },
    { name: 'two.example', origin: 'file' },
  ])
  for (const step of [
    accounts.removeDomain('file.example'),
    accounts.setCatchAll('file.example'),
    accounts.addAlias('sales@file.example', ['x@y.example']),
    accounts.removeAlias('sales@file.example'),
    accounts.removeAlias('sales@file.example', ['bob@hand.example']),
  ]) {
    const result = await step
    assert.ok(result.kind === 'refused' && result.reason === 'file')
    assert.match(result.why, /configuration file/)
  }
  assert.equal((await accounts.addAlias('hand@file.example', ['x@y.example'])).kind, 'done')

  const sales = { local: 'sales', domain: 'file.example' }
  assert.equal((await directory.resolve(sales)).kind, 'alias')
  await accounts.declare({ domains: [{ name: 'file.example' }], aliases: [] })
  assert.equal((await directory.resolve(sales)).kind, 'unknown')
  assert.deepEqual(await accounts.domains(), [
    { name: 'file.example', origin: 'file' },
    { name: 'hand.example', origin: 'rows' },
  ])
  assert.deepEqual(await accounts.aliases(), [
    { address: 'hand@file.example', target: 'x@y.example', origin: 'rows' },
  ])
})

test('a declaration with a fault in it changes nothing and names every fault', async () => {
  const { accounts } = await openTestRoom()
  await accounts.declare({ domains: [{ name: 'one.example' }], aliases: [] })
  await accounts.addAccount('bob@one.example', 'secret')
  const words = await accounts.declare({
    domains: [{ name: 'no domain' }, { name: 'two.example', catchAll: 'nobody' }],
    aliases: [{ address: 'x', targets: ['y@z.example'] }],
  })
  assert.ok(words.kind === 'refused' && words.whys.length === 3)
  const rows = await accounts.declare({
    domains: [{ name: 'one.example' }],
    aliases: [
      { address: 'bob@one.example', targets: ['x@y.example'] },
      { address: 'x@three.example', targets: ['x@y.example'] },
    ],
  })
  assert.ok(rows.kind === 'refused' && rows.whys.length === 2)
  assert.deepEqual(await accounts.domains(), [{ name: 'one.example', origin: 'file' }])
  assert.deepEqual(await accounts.aliases(), [])
})

test('lists come in pages, of one domain or of all', async () => {
  const { accounts, time } = await openTestRoom()
  await accounts.addDomain('a.example')
  await accounts.addDomain('ba.example')
  for (const name of ['1@a', '2@a', '3@ba']) {
    await accounts.addAccount(`${name}.example`, 'secret')
    await accounts.addAlias(`list${name}.example`, ['x@y.example', 'z@y.example'])
  }
  await accounts.disable('2@a.example')
  assert.deepEqual(await accounts.accounts({ domain: 'a.example', after: '1@a.example' }), [
    {
      id: 2,
      address: '2@a.example',
      disabled: true,
      createdAt: time.now,
      passwordAt: time.now,
    },
  ])
  assert.equal((await accounts.accounts()).length, 3)
  assert.equal((await accounts.accounts({ limit: 2 })).length, 2)
  const page = await accounts.aliases({ limit: 3 })
  const last = page.at(-1)
  assert.ok(page.length === 3 && last)
  const rest = await accounts.aliases({ after: last.address, afterTarget: last.target })
  assert.deepEqual(
    [...page, ...rest].map(({ address, target }) => `${address} ${target}`),
    ['1@a', '2@a', '3@ba'].flatMap(name =>
      ['x', 'z'].map(target => `list${name}.example ${target}@y.example`),
    ),
  )
})
