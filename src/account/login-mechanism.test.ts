/** Every mechanism from end to end, over what is kept of a password. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Login } from './login.ts'
import { everything, exchange, password, town } from './login-world.ts'
import { findLogin } from './reader.ts'
import { kindsFor } from './verifier.ts'

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
