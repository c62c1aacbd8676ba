/** Passwords: what is right, what is wrong, what either costs, and what is remembered. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestRoom } from './account-world.ts'
import { Hasher } from './credentials.ts'
import { openLogin } from './login.ts'
import { alice, denied, password, town } from './login-world.ts'
import { cheapHashCost } from './settings.ts'

test('the right password logs in, under every spelling of name and password', async () => {
  const { login } = await town({ defaultDomain: 'example.org' })
  for (const [name, secret, authorize] of [
    ['alice@example.org', 'pass wörd', ''],
    ['ALICE@Example.ORG', 'pass\u00a0wo\u0308rd', ''],
    ['alice', 'pass wörd', 'alice@example.org'],
    ['alice@example.org', 'pass wörd', 'Alice'],
  ] as const)
    assert.deepEqual(await login.answer(password(name, secret, authorize)), alice, name)
})

test('whatever is wrong, the answer is one', async () => {
  const { login } = await town()
  for (const question of [
    password('alice@example.org', 'pass word'),
    password('alice@example.org', 'PASS WÖRD'),
    password('alice@example.org', ''),
    password('alice@example.org', 'x'.repeat(2_000)),
    password('alice', 'pass wörd'),
    password('alice+x@example.org', 'pass wörd'),
    password('nobody@example.org', 'pass wörd'),
    password('gone@example.org', 'secret'),
    password('', ''),
    password('\u0007', 'x'),
    password('\ud800', '\udc00'),
    password("' OR 1=1 --", "' OR 1=1 --"),
    password('%@example.org', 'pass wörd'),
    password('*', 'pass wörd'),
    password(`${'a'.repeat(5_000)}@example.org`, 'x'),
  ])
    assert.deepEqual(await login.answer(question), denied, JSON.stringify(question))
  // RFC 5530: who has proven who he is hears that it is the other name.
  for (const other of ['bob@example.org', 'postmaster']) {
    const answer = await login.answer(password('alice@example.org', 'pass wörd', other))
    assert.ok(answer.kind === 'denied' && answer.proven, other)
    const wrong = await login.answer(password('alice@example.org', 'wrong', other))
    assert.deepEqual(wrong, denied, other)
  }
})

test('a name that is unknown, has no password, or is disabled costs as many hashes as a wrong password', async () => {
  const room = await town()
  const { store, clock, random, settings } = room
  const hashed: (string | undefined)[] = []
  const making = () => ({ kinds: [], realm: '', sealingKey: new Uint8Array(32) })
  const real = new Hasher(settings.cost, random, making)
  const hasher = {
    scramIterations: real.scramIterations,
    verify(secret: string, phc: string | undefined) {
      hashed.push(phc?.split('$')[3])
      return real.verify(secret, phc)
    },
  } as Hasher
  const log = { debug() {}, info() {}, warn() {}, error() {}, with: () => log }
  const login = await openLogin({ store, clock, random, log, settings: () => settings, hasher })
  for (const name of ['alice', 'nobody', 'gone'])
    await login.answer(password(`${name}@example.org`, 'wrong'))
  assert.deepEqual(hashed, ['m=8,t=1,p=1', undefined, 'm=8,t=1,p=1'])
  const [known, unknown] = [await real.verify('x', undefined), await real.verify('x', 'damaged')]
  assert.deepEqual(
    [known, unknown],
    [
      { kind: 'done', value: false },
      { kind: 'done', value: false },
    ],
  )
})

test('a success is remembered for five minutes and answered at once', async () => {
  const { login, counts, time } = await town()
  const question = password('alice@example.org', 'pass wörd')
  assert.ok(login.answer(question) instanceof Promise)
  await login.answer(question)
  const { reads } = counts
  assert.deepEqual(login.answer(question), alice)
  assert.equal(counts.reads, reads)
  // Another's password, another's name: not remembered for them.
  assert.ok(login.answer(password('bob@example.org', 'pass wörd')) instanceof Promise)
  assert.deepEqual(await login.answer(password('alice@example.org', 'wrong')), denied)
  assert.deepEqual(login.answer(question), alice)
  time.now += 5 * 60_000
  assert.ok(login.answer(question) instanceof Promise)
  await login.answer(question)
})

test('a change of the account drops what is remembered of it, and only of it', async () => {
  const { login, accounts } = await town()
  const [hers, his] = ['alice', 'bob'].map(name => password(`${name}@example.org`, 'pass wörd'))
  assert.ok(hers && his)
  const remembered = async () => {
    await login.answer(hers)
    await login.answer(his)
    return !(login.answer(hers) instanceof Promise) && !(login.answer(his) instanceof Promise)
  }
  assert.equal(await remembered(), true)
  await accounts.setPassword('alice@example.org', 'another')
  assert.equal(login.answer(his) instanceof Promise, false)
  assert.deepEqual(await login.answer(hers), denied)
  assert.deepEqual(await login.answer(password('alice@example.org', 'another')), alice)

  await accounts.disable('alice@example.org')
  assert.deepEqual(await login.answer(password('alice@example.org', 'another')), denied)
  await accounts.enable('alice@example.org')
  assert.deepEqual(await login.answer(password('alice@example.org', 'another')), alice)
  await accounts.removeAccount('alice@example.org')
  assert.deepEqual(await login.answer(password('alice@example.org', 'another')), denied)
})

test('a log-in that was under way while the account changed is not remembered', async () => {
  const { login, accounts } = await town()
  const question = password('alice@example.org', 'pass wörd')
  const early = login.answer(question)
  login.changed(1)
  assert.notEqual(login.answer(question), early)
  login.changed(1)
  await early
  assert.ok(login.answer(question) instanceof Promise)
  await accounts.setPassword('alice@example.org', 'another')
  assert.deepEqual(await login.answer(question), denied)
})

test('the same log-in many times at once is one hash', async () => {
  const { login, counts } = await town()
  const { reads } = counts
  const question = password('alice@example.org', 'pass wörd')
  const answers = await Promise.all(Array.from({ length: 20 }, async () => login.answer(question)))
  for (const answer of answers) assert.deepEqual(answer, alice)
  assert.equal(counts.reads, reads + 1)
})

test('more log-ins than may wait are told to come again', async () => {
  const cost = { ...cheapHashCost, atOnce: 1, waitingMax: 1, inline: false }
  const { login } = await openTestRoom({ cost })
  const answers = await Promise.all(
    ['a', 'b', 'c', 'd'].map(async name => login.answer(password(`${name}@example.org`, 'x'))),
  )
  assert.deepEqual(answers.map(({ kind }) => kind).sort(), [
    'denied',
    'denied',
    'unavailable',
    'unavailable',
  ])
})

test('a store that fails is no wrong password', async () => {
  const closed = await town()
  await closed.store.close()
  for (const question of [
    password('alice@example.org', 'pass wörd'),
    { kind: 'scram', mechanism: 'SCRAM-SHA-256', username: 'alice@example.org', hash: 'sha256' },
    {
      kind: 'proven',
      mechanism: 'SCRAM-SHA-256',
      username: 'alice@example.org',
      authorize: '',
    },
  ] as const)
    assert.equal((await closed.login.answer(question)).kind, 'unavailable')
})
