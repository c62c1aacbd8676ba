import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LoginAnswer, LoginQuestion, SaslInput, SaslResult } from '../sasl/mechanism.ts'
import { clientMechanism, serverMechanism } from '../sasl/registry.ts'
import { openTestRoom } from './account-world.ts'
import { Hasher } from './credentials.ts'
import { type Login, openLogin } from './login.ts'
import { cheapHashCost } from './settings.ts'

const denied: LoginAnswer = { kind: 'denied', why: 'wrong user name or password' }
const alice: LoginAnswer = { kind: 'account', account: { id: 1, address: 'alice@example.org' } }

async function town(changes = {}) {
  const room = await openTestRoom(changes)
  await room.accounts.addDomain('example.org')
  await room.accounts.addAccount('alice@example.org', 'pass\u00a0wörd')
  await room.accounts.addAccount('bob@example.org', 'pass\u00a0wörd')
  await room.accounts.addAccount('gone@example.org', 'secret')
  await room.accounts.disable('gone@example.org')
  return room
}

function password(username: string, password: string, authorize = ''): LoginQuestion {
  return { kind: 'password', mechanism: 'PLAIN', username, authorize, password }
}

/** A whole exchange between the client and the server of a mechanism. */
async function dialogue(
  login: Login,
  name: string,
  username: string,
  secret: string,
  authorize?: string,
): Promise<{ result: SaslResult; satisfied: boolean; salt: string }> {
  const chance = (octets: number) => new Uint8Array(octets).fill(7)
  const client = clientMechanism(name)?.start(
    { username, password: secret, ...(authorize ? { authorize } : {}) },
    chance,
  )
  const clientSays = (octets?: Uint8Array) => {
    const step = client?.next(...((octets ? [octets] : []) as [Uint8Array]))
    return step?.done === false ? step.value : new Uint8Array(0)
  }
  const server = serverMechanism(name)?.start(clientSays(), chance)
  assert.ok(server !== undefined && client !== undefined)
  let salt = ''
  let step = server.next()
  while (!step.done) {
    let input: SaslInput
    if (step.value.kind === 'ask') {
      input = await login.answer(step.value.question)
      if (input.kind === 'verifier') salt = Buffer.from(input.verifier.salt).toString('hex')
    } else {
      input = clientSays(step.value.octets)
    }
    step = server.next(input)
  }
  const final = step.value.kind === 'done' ? step.value.final : undefined
  return {
    result: step.value,
    satisfied: client.next(final ?? new Uint8Array(0)).value === true,
    salt,
  }
}

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
    password('alice@example.org', 'pass wörd', 'bob@example.org'),
    password('alice@example.org', 'pass wörd', 'postmaster'),
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
})

test('a name that is unknown, has no password, or is disabled costs as many hashes as a wrong password', async () => {
  const room = await town()
  const { store, clock, random, settings } = room
  const hashed: (string | undefined)[] = []
  const real = new Hasher(settings.cost, random)
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
  assert.deepEqual(new Set(answers).size, 1)
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
    { kind: 'scram', mechanism: 'SCRAM-SHA-256', username: 'alice@example.org' },
    {
      kind: 'proven',
      mechanism: 'SCRAM-SHA-256',
      username: 'alice@example.org',
      authorize: '',
    },
  ] as const)
    assert.equal((await closed.login.answer(question)).kind, 'unavailable')
})

test('every mechanism logs in from end to end', async () => {
  const { login } = await town({ defaultDomain: 'example.org' })
  for (const name of ['PLAIN', 'LOGIN', 'SCRAM-SHA-256']) {
    const good = await dialogue(login, name, 'alice', 'pass wörd')
    assert.equal(good.result.kind, 'done', name)
    assert.equal(good.satisfied, true, name)
    for (const [username, secret] of [
      ['alice', 'wrong'],
      ['nobody', 'pass wörd'],
      ['gone', 'secret'],
    ] as const) {
      const bad = await dialogue(login, name, username, secret)
      assert.deepEqual(
        bad.result,
        { kind: 'failed', reason: 'denied', why: 'wrong user name or password' },
        `${name} ${username}`,
      )
    }
  }
  const scram = (authorize: string) =>
    dialogue(login, 'SCRAM-SHA-256', 'alice', 'pass wörd', authorize)
  assert.equal((await scram('alice@example.org')).result.kind, 'done')
  assert.equal((await scram('bob@example.org')).result.kind, 'failed')
})

test('a name that is unknown shows a verifier like any other, the same after a restart', async () => {
  const { login, reopen } = await town()
  const ask = async (from: Login, username: string) => {
    const answer = await from.answer({ kind: 'scram', mechanism: 'SCRAM-SHA-256', username })
    assert.ok(answer.kind === 'verifier')
    return answer.verifier
  }
  const known = await ask(login, 'alice@example.org')
  const unknown = await ask(login, 'nobody@example.org')
  assert.equal(known.genuine, true)
  assert.equal(unknown.genuine, false)
  assert.equal(unknown.salt.length, known.salt.length)
  assert.equal(unknown.iterations, known.iterations)
  assert.notDeepEqual(unknown.salt, (await ask(login, 'other@example.org')).salt)
  assert.deepEqual(unknown, await ask(login, 'NOBODY@example.org'))
  assert.deepEqual(unknown, await ask((await reopen()).login, 'nobody@example.org'))
  // A disabled account keeps its salt; enabling and disabling shows nobody anything.
  assert.equal((await ask(login, 'gone@example.org')).genuine, true)
})
