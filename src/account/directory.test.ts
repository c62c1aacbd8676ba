import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Address, parseStoredAddress } from '../mail/address.ts'
import { openTestRoom } from './account-world.ts'
import { expand, expandCached, mayUse } from './expand.ts'
import { Recent } from './recent.ts'

const at = (text: string): Address => parseStoredAddress(text)

async function town(changes = {}) {
  const room = await openTestRoom(changes)
  const { accounts } = room
  for (const step of [
    await accounts.addDomain('example.org'),
    await accounts.addDomain('Bücher.example'),
    await accounts.addDomain('all.example', 'bob@example.org'),
    await accounts.addAccount('Alice@example.org', 'secret'),
    await accounts.addAccount('bob@example.org', 'secret'),
    await accounts.addAccount('bob+own@example.org', 'secret'),
    await accounts.addAccount('jörg@bücher.example', 'secret'),
    await accounts.addAccount('gone@example.org', 'secret'),
    await accounts.disable('gone@example.org'),
    await accounts.addAlias('sales@example.org', ['alice@example.org', 'Out@Side.example']),
  ])
    assert.notEqual(step.kind, 'refused', JSON.stringify(step))
  const meaning = async (text: string) => {
    const found = await room.directory.resolve(at(text))
    if (found.kind === 'account' || found.kind === 'disabled')
      return `${found.kind} ${found.account.address}`
    if (found.kind !== 'alias') return found.kind
    return `${found.via} ${found.targets.map(({ local, domain }) => `${local}@${domain}`).join(' ')}`
  }
  return { ...room, meaning }
}

test('an address is looked up: exact, without detail, catch-all, role', async () => {
  const { meaning } = await town()
  for (const [text, expected] of [
    ['alice@example.org', 'account alice@example.org'],
    ['ALICE@EXAMPLE.ORG', 'account alice@example.org'],
    ['alice+shop@example.org', 'account alice@example.org'],
    ['bob+own@example.org', 'account bob+own@example.org'],
    ['bob+other@example.org', 'account bob@example.org'],
    ['JÖRG@bücher.example', 'account jörg@xn--bcher-kva.example'],
    ['jo\u0308rg@xn--bcher-kva.example', 'account jörg@xn--bcher-kva.example'],
    ['gone@example.org', 'disabled gone@example.org'],
    ['sales@example.org', 'alias Out@side.example alice@example.org'],
    ['sales+x@example.org', 'alias Out@side.example alice@example.org'],
    ['anyone@all.example', 'catch-all bob@example.org'],
    ['postmaster@all.example', 'catch-all bob@example.org'],
    ['postmaster@example.org', 'role alice@example.org'],
    ['Abuse@bücher.example', 'role alice@example.org'],
    ['Postmaster', 'role alice@example.org'],
    ['nobody@example.org', 'unknown'],
    ['nobody+x@example.org', 'unknown'],
    ['alice', 'unknown'],
    ['alice@elsewhere.example', 'foreign'],
    ['alice@sub.example.org', 'foreign'],
    ['postmaster@elsewhere.example', 'foreign'],
    ['alice@[192.0.2.1]', 'foreign'],
    ['"alice@example.org"@elsewhere.example', 'foreign'],
    ['"alice@elsewhere.example"@example.org', 'unknown'],
    ['alice%elsewhere.example@example.org', 'unknown'],
    ['%@example.org', 'unknown'],
    ["' OR 1=1 --@example.org", 'unknown'],
  ] as const) {
    assert.equal(await meaning(text), expected, text)
    // And again, from memory.
    assert.equal(await meaning(text), expected, text)
  }
})

test('settings name the postmaster and the separator', async () => {
  const { meaning } = await town({ separator: '', postmaster: at('Bob@Example.org') })
  assert.equal(await meaning('abuse@example.org'), 'role bob@example.org')
  assert.equal(await meaning('alice+x@example.org'), 'unknown')
  const self = await town({ postmaster: at('postmaster@example.org') })
  assert.equal(await self.meaning('postmaster@example.org'), 'unknown')
})

test('at our own name the only one of a name is meant', async () => {
  const { accounts, meaning } = await town({ hostname: 'mx.example.net' })
  for (const [text, expected] of [
    ['alice@mx.example.net', 'alias alice@example.org'],
    ['Alice+shop@MX.example.net', 'alias alice@example.org'],
    ['sales@mx.example.net', 'alias sales@example.org'],
    ['nobody@mx.example.net', 'unknown'],
    ['root@mx.example.net', 'role alice@example.org'],
    ['alice@mx.example.com', 'foreign'],
    ['root@localhost', 'role alice@example.org'],
    ['bob@localhost', 'alias bob@example.org'],
    ['alice@localhost.example', 'foreign'],
  ] as const) {
    assert.equal(await meaning(text), expected, text)
  }
  await accounts.addAccount('alice@all.example', 'secret')
  assert.equal(await meaning('alice@mx.example.net'), 'unknown')
})

test('a postmaster of its own comes before the default', async () => {
  const { accounts, meaning } = await town()
  assert.equal(await meaning('postmaster@example.org'), 'role alice@example.org')
  await accounts.addAccount('postmaster@example.org', 'secret')
  assert.equal(await meaning('postmaster@example.org'), 'account postmaster@example.org')
})

test('what was looked up is known at once, until something changes', async () => {
  const { directory, accounts, counts } = await town()
  for (const text of ['alice@example.org', 'nobody@example.org', 'x@elsewhere.example']) {
    assert.equal(directory.cached(at(text)), undefined)
    const found = await directory.resolve(at(text))
    assert.deepEqual(directory.cached(at(text.toUpperCase())), found)
    const before = counts.reads
    await directory.resolve(at(text))
    assert.equal(counts.reads, before)
  }
  await accounts.addAccount('nobody@example.org', 'secret')
  assert.equal(directory.cached(at('alice@example.org')), undefined)
  assert.equal((await directory.resolve(at('nobody@example.org'))).kind, 'account')
})

test('an answer that was read before a change is not remembered after it', async () => {
  const { directory } = await town()
  const early = directory.resolve(at('alice@example.org'))
  directory.changed()
  await early
  assert.equal(directory.cached(at('alice@example.org')), undefined)
})

test('what is remembered grows old, nobody sooner than somebody', async () => {
  const { directory, time } = await town()
  await directory.resolve(at('alice@example.org'))
  await directory.resolve(at('nobody@example.org'))
  time.now += 30_000
  assert.equal(directory.cached(at('nobody@example.org')), undefined)
  assert.equal(directory.cached(at('alice@example.org'))?.kind, 'account')
  time.now += 5 * 60_000
  assert.equal(directory.cached(at('alice@example.org')), undefined)
})

test('guesses do not push out what is known', async () => {
  const { directory } = await town()
  await directory.resolve(at('alice@example.org'))
  for (let i = 0; i < 4_100; i++) await directory.resolve(at(`guess${i}@elsewhere.example`))
  assert.equal(directory.cached(at('alice@example.org'))?.kind, 'account')
  assert.equal(directory.cached(at('guess0@elsewhere.example')), undefined)
  assert.equal(directory.cached(at('guess4099@elsewhere.example'))?.kind, 'foreign')
})

test('the memory forgets what was used least recently', () => {
  const recent = new Recent<number>(2, 100)
  recent.set('a', 1, 0)
  recent.set('b', 2, 0)
  assert.equal(recent.get('a', 0), 1)
  recent.set('c', 3, 0)
  assert.deepEqual([recent.get('a', 0), recent.get('b', 0), recent.get('c', 0)], [1, undefined, 3])
  recent.drop(value => value === 3)
  assert.deepEqual([recent.get('a', 99), recent.get('a', 100), recent.size], [1, undefined, 0])
})

test('an alias expands to each of its addresses once', async () => {
  const { accounts, directory } = await town()
  await accounts.addAlias('all@example.org', ['sales@example.org', 'BOB@example.org'])
  await accounts.addAlias('all@example.org', ['alice+x@example.org', 'out@side.example'])
  await accounts.addAlias('sales@example.org', ['all@example.org', 'nosuch@example.org'])
  assert.equal(expandCached(directory, at('all@example.org')), undefined)
  const expansion = await expand(directory, at('All@example.org'))
  assert.ok(expansion.kind === 'finals')
  assert.deepEqual(
    expansion.finals.map(({ address, local, accountId }) => [
      `${address.local}@${address.domain}`,
      local,
      accountId !== undefined,
    ]),
    [
      ['BOB@example.org', true, true],
      ['alice+x@example.org', true, true],
      ['out@side.example', false, false],
      ['alice@example.org', true, true],
      ['nosuch@example.org', true, false],
    ],
  )
  assert.ok(expansion.finals.every(({ aliasOf }) => aliasOf?.local === 'All'))
  assert.deepEqual(expandCached(directory, at('All@example.org')), expansion)
})

test('an address that is no alias stands for itself or for nobody', async () => {
  const { directory } = await town()
  const address = at('Alice+x@example.org')
  assert.deepEqual(await expand(directory, address), {
    kind: 'finals',
    finals: [{ address, local: true, accountId: 1 }],
  })
  for (const [text, why] of [
    ['nobody@example.org', 'unknown'],
    ['gone@example.org', 'disabled'],
    ['x@elsewhere.example', 'foreign'],
  ] as const)
    assert.deepEqual(await expand(directory, at(text)), { kind: 'none', why })
})

test('an alias that leads nowhere, in a circle, too far or too wide is broken', async () => {
  const { accounts, directory } = await town()
  await accounts.addAlias('a@example.org', ['b@example.org'])
  await accounts.addAlias('b@example.org', ['a@example.org'])
  await accounts.addAlias('dead@example.org', ['nosuch@example.org', 'gone@example.org'])
  const many = Array.from({ length: 1_001 }, (_, i) => `m${i}@side.example`)
  await accounts.addAlias('wide@example.org', many)
  await accounts.addAlias('full@example.org', many.slice(1))
  for (let i = 0; i < 25; i++)
    await accounts.addAlias(`deep${i}@example.org`, [`deep${i + 1}@example.org`])
  await accounts.addAlias('deep25@example.org', ['alice@example.org'])
  const why = async (text: string) => {
    const expansion = await expand(directory, at(text))
    return expansion.kind === 'finals' ? expansion.finals.length : expansion.why
  }
  assert.equal(await why('a@example.org'), 'loop')
  assert.equal(await why('dead@example.org'), 'dead')
  assert.equal(await why('wide@example.org'), 'wide')
  assert.equal(await why('full@example.org'), 1_000)
  assert.equal(await why('deep0@example.org'), 'deep')
  assert.equal(await why('deep6@example.org'), 1)
})

test('two lists of the same many members are not too wide', async () => {
  const { accounts, directory } = await town()
  const many = Array.from({ length: 600 }, (_, i) => `m${i}@side.example`)
  await accounts.addAlias('one@example.org', many)
  await accounts.addAlias('two@example.org', many)
  await accounts.addAlias('both@example.org', ['one@example.org', 'two@example.org'])
  const expansion = await expand(directory, at('both@example.org'))
  assert.equal(expansion.kind === 'finals' && expansion.finals.length, 600)
})

test('an account may use the addresses whose mail it gets', async () => {
  const { directory } = await town()
  for (const [text, may] of [
    ['alice@example.org', true],
    ['Alice+x@Example.org', true],
    ['sales@example.org', true],
    ['postmaster@example.org', true],
    ['bob@example.org', false],
    ['x@all.example', false],
    ['nobody@example.org', false],
    ['alice@elsewhere.example', false],
  ] as const)
    assert.equal(await mayUse(directory, 1, at(text)), may, text)
})
