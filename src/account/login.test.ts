import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { LoginAnswer, LoginQuestion } from '../sasl/mechanism.ts'
import { clientMechanism, serverMechanism } from '../sasl/registry.ts'
import { dialogue } from '../sasl/scripted.ts'
import { openTestRoom } from './account-world.ts'
import { Hasher } from './credentials.ts'
import { type Login, openLogin } from './login.ts'
import { findLogin, type ListedApp } from './reader.ts'
import { cheapHashCost } from './settings.ts'
import { kindsFor, type Scope } from './verifier.ts'

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
async function exchange(
  login: Login,
  name: string,
  username: string,
  secret: string,
  authorize?: string,
  scope?: Scope,
) {
  const [client, server] = [clientMechanism(name), serverMechanism(name)]
  assert.ok(server !== undefined && client !== undefined)
  const credentials = { username, password: secret, ...(authorize ? { authorize } : {}) }
  return dialogue(client, server, credentials, question => login.answer(question, scope))
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

test('every mechanism logs in from end to end', async () => {
  const { login } = await town({ defaultDomain: 'example.org' })
  for (const name of ['PLAIN', 'LOGIN', 'SCRAM-SHA-256']) {
    const good = await exchange(login, name, 'alice', 'pass wörd')
    assert.equal(good.result.kind, 'done', name)
    assert.equal(good.satisfied, true, name)
    for (const [username, secret] of [
      ['alice', 'wrong'],
      ['nobody', 'pass wörd'],
      ['gone', 'secret'],
    ] as const) {
      const bad = await exchange(login, name, username, secret)
      assert.deepEqual(
        bad.result,
        { kind: 'failed', reason: 'denied', why: 'wrong user name or password' },
        `${name} ${username}`,
      )
    }
  }
  const scram = (authorize: string) =>
    exchange(login, 'SCRAM-SHA-256', 'alice', 'pass wörd', authorize)
  assert.equal((await scram('alice@example.org')).result.kind, 'done')
  assert.equal((await scram('bob@example.org')).result.kind, 'failed')
})

test('a name that is unknown shows a verifier like any other, the same after a restart', async () => {
  const { login, reopen } = await town()
  const ask = async (from: Login, username: string) => {
    const answer = await from.answer({
      ...{ kind: 'scram', mechanism: 'SCRAM-SHA-256', username, hash: 'sha256' },
    })
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

const everything = ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'CRAM-MD5', 'NTLM', 'APOP']

test('every mechanism that computes with what is kept logs in once it is switched on', async () => {
  const { login } = await town({ verifiers: kindsFor(everything) })
  for (const name of ['SCRAM-SHA-1', 'SCRAM-SHA-512', 'CRAM-MD5']) {
    for (const [user, secret, kind] of [
      ['alice@example.org', 'pass wörd', 'done'],
      ['alice@example.org', 'wrong', 'failed'],
      ['nobody@example.org', 'pass wörd', 'failed'],
      ['gone@example.org', 'secret', 'failed'],
    ] as const) {
      const { result } = await exchange(login, name, user, secret)
      assert.equal(result.kind, kind, `${name} ${user}`)
    }
  }
  const without = await town()
  const { result } = await exchange(without.login, 'CRAM-MD5', 'alice@example.org', 'pass wörd')
  assert.equal(result.kind, 'failed')
})

test('a login keeps the password in the forms of today, and when it was set stays as it was', async () => {
  const { login, accounts, store, settings, time } = await town()
  const kept = async () =>
    (await store.read(findLogin, 'alice@example.org'))?.credentials.map(each => each.kind)
  Object.assign(settings, { verifiers: kindsFor(everything) })
  assert.deepEqual(await kept(), ['argon2id', 'scram-sha-256'])
  time.now += 1_000
  await login.answer(password('alice@example.org', 'wrong'))
  assert.deepEqual(await kept(), ['argon2id', 'scram-sha-256'])
  await login.answer(password('alice@example.org', 'pass wörd'))
  assert.deepEqual(await kept(), [...settings.verifiers].sort())
  assert.equal(
    (await exchange(login, 'SCRAM-SHA-1', 'alice@example.org', 'pass wörd')).satisfied,
    true,
  )
  const listed = (await accounts.accounts()).find(row => row.address === 'alice@example.org')
  assert.equal(listed?.passwordAt, time.now - 1_000)
  // What is switched off goes with the next login.
  Object.assign(settings, { verifiers: kindsFor([]) })
  login.changed()
  await login.answer(password('alice@example.org', 'pass wörd'))
  assert.deepEqual(await kept(), ['argon2id'])
})

test('an app password is for what it is for, logs in by every mechanism, and is taken back alone', async () => {
  const { login, apps } = await town({ verifiers: kindsFor(everything) })
  const made = await apps.add('alice@example.org', 'phone', ['imap', 'smtp'])
  assert.ok(made.kind === 'added')
  for (const name of ['PLAIN', 'LOGIN', 'SCRAM-SHA-256', 'CRAM-MD5']) {
    const by = async (scope: Scope): Promise<string> =>
      (await exchange(login, name, 'alice@example.org', made.password, undefined, scope)).result
        .kind
    assert.equal(await by('imap'), 'done', name)
    assert.equal(await by('smtp'), 'done', name)
    assert.equal(await by('pop3'), 'failed', name)
  }
  // The account's own password goes on, and each is told from the other.
  assert.equal(
    (await exchange(login, 'SCRAM-SHA-256', 'alice@example.org', 'pass wörd')).satisfied,
    true,
  )
  assert.deepEqual(await login.answer(password('bob@example.org', made.password)), denied)
  const [listed] = (await apps.list('alice@example.org')) as readonly ListedApp[]
  assert.deepEqual([listed?.label, listed?.scopes], ['phone', 'smtp imap'])
  assert.ok(listed?.usedAt)
  assert.equal((await apps.remove('alice@example.org', 'phone')).kind, 'changed')
  for (const name of ['PLAIN', 'SCRAM-SHA-256', 'CRAM-MD5']) {
    const { result } = await exchange(
      login,
      name,
      'alice@example.org',
      made.password,
      undefined,
      'imap',
    )
    assert.equal(result.kind, 'failed', name)
  }
})

test('an app password survives a new password of its account, by SCRAM too', async () => {
  const { login, apps, accounts } = await town()
  const made = await apps.add('alice@example.org', 'phone')
  assert.ok(made.kind === 'added')
  await accounts.setPassword('alice@example.org', 'another')
  for (const secret of [made.password, 'another'])
    assert.equal(
      (await exchange(login, 'SCRAM-SHA-256', 'alice@example.org', secret)).satisfied,
      true,
    )
  assert.equal(
    (await exchange(login, 'SCRAM-SHA-256', 'alice@example.org', 'pass wörd')).satisfied,
    false,
  )
})

test('app passwords that cannot be are refused', async () => {
  const { apps, accounts } = await town()
  const why = async (change: Promise<{ readonly kind: string }>) => {
    const result = await change
    return 'reason' in result ? result.reason : result.kind
  }
  assert.equal(await why(apps.add('alice@example.org', 'phone')), 'added')
  assert.equal(await why(apps.add('alice@example.org', 'phone')), 'exists')
  assert.equal(await why(apps.add('alice@example.org', ' ')), 'invalid')
  assert.equal(await why(apps.add('alice@example.org', 'x'.repeat(61))), 'invalid')
  assert.equal(await why(apps.add('alice@example.org', 'a\nb')), 'invalid')
  assert.equal(await why(apps.add('alice@example.org', 'x', [])), 'invalid')
  assert.equal(await why(apps.add('nobody@example.org', 'x')), 'missing')
  assert.equal(await why(apps.remove('alice@example.org', "' OR 1=1 --")), 'missing')
  assert.equal((await accounts.removeAccount('alice@example.org')).kind, 'changed')
  assert.equal(await why(apps.remove('alice@example.org', 'phone')), 'missing')
})

test('who may act as whom the config says, and nobody else learns of it', async () => {
  const { login } = await town({
    actAs: { 'Alice@example.org': ['bob@example.org', 'gone@example.org'] },
  })
  const bob: LoginAnswer = { kind: 'account', account: { id: 2, address: 'bob@example.org' } }
  const as = (who: string, secret: string, whom: string) =>
    login.answer(password(`${who}@example.org`, secret, whom))
  assert.deepEqual(await as('alice', 'pass wörd', 'bob@example.org'), bob)
  assert.deepEqual(await as('alice', 'wrong', 'bob@example.org'), denied)
  const notAs: LoginAnswer = { kind: 'denied', why: 'may not act as another', proven: true }
  assert.deepEqual(await as('alice', 'pass wörd', 'gone@example.org'), notAs)
  assert.deepEqual(await as('alice', 'pass wörd', 'nobody@example.org'), notAs)
  assert.deepEqual(await as('bob', 'wrong', 'alice@example.org'), denied)
  const scram = await exchange(
    login,
    'SCRAM-SHA-256',
    'alice@example.org',
    'pass wörd',
    'bob@example.org',
  )
  assert.deepEqual(scram.result.kind === 'done' && scram.result.account, bob.account)
  const any = await town({ actAs: { 'alice@example.org': ['*'] } })
  assert.deepEqual(
    await any.login.answer(password('alice@example.org', 'pass wörd', 'bob@example.org')),
    bob,
  )
})

test('a certificate is whose the config says, else of the address in it', async () => {
  const { login } = await town({
    certificates: { 'AA:BB:CC': 'bob@example.org', Printer: 'alice@example.org' },
  })
  const who = async (over: object, authorize = '') => {
    const certificate = { subject: 'CN=X', fingerprint: 'FF:00', mailboxes: [], ...over }
    const answer = await login.answer({
      ...{
        kind: 'certificate',
        mechanism: 'EXTERNAL',
        username: authorize,
        authorize,
        certificate,
      },
    })
    return answer.kind === 'account' ? answer.account.address : answer.kind
  }
  assert.equal(await who({ fingerprint: 'aabbcc' }), 'bob@example.org')
  assert.equal(await who({ commonName: 'Printer' }), 'alice@example.org')
  assert.equal(await who({ mailboxes: ['ALICE@example.org'] }), 'alice@example.org')
  const both = { mailboxes: ['alice@example.org', 'bob@example.org'] }
  assert.equal(await who(both), 'denied')
  assert.equal(await who(both, 'bob@example.org'), 'bob@example.org')
  assert.equal(await who({ mailboxes: ['alice@example.org'] }, 'bob@example.org'), 'denied')
  assert.equal(await who({ mailboxes: ['gone@example.org'] }), 'denied')
  assert.equal(await who({}), 'denied')
  assert.equal(await who({ mailboxes: ['nobody@example.org'] }), 'denied')
})

test('a nobody comes in only as the account that is named for him', async () => {
  const question = { kind: 'anonymous', mechanism: 'ANONYMOUS', username: 'x' } as const
  assert.deepEqual(await (await town()).login.answer(question), denied)
  assert.deepEqual(
    await (await town({ anonymous: 'alice@example.org' })).login.answer(question),
    alice,
  )
  assert.deepEqual(
    await (await town({ anonymous: 'gone@example.org' })).login.answer(question),
    denied,
  )
})

test('the hash of another server lets its owner in once, and is ours then', async () => {
  const { login, accounts, store } = await town()
  const hash =
    '{SSHA}' +
    Buffer.concat([createHash('sha1').update('secretsalt').digest(), Buffer.from('salt')]).toString(
      'base64',
    )
  await accounts.setPassword('alice@example.org', { hash })
  const kept = async () =>
    (await store.read(findLogin, 'alice@example.org'))?.credentials.map(each => each.kind)
  assert.deepEqual(await kept(), ['foreign'])
  assert.deepEqual(await login.answer(password('alice@example.org', 'wrong')), denied)
  assert.deepEqual(await login.answer(password('alice@example.org', hash)), denied)
  assert.deepEqual(await kept(), ['foreign'])
  assert.deepEqual(await login.answer(password('alice@example.org', 'secret')), alice)
  assert.deepEqual(await kept(), ['argon2id', 'scram-sha-256'])
  assert.equal(
    (await exchange(login, 'SCRAM-SHA-256', 'alice@example.org', 'secret')).satisfied,
    true,
  )
  const refused = await accounts.setPassword('alice@example.org', { hash: '{XYZ}abc' })
  assert.equal(refused.kind, 'refused')
})
