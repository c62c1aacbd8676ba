/** App passwords: what they are for, and that nothing else comes by them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { denied, everything, exchange, password, town } from './login-world.ts'
import type { ListedApp } from './reader.ts'
import { kindsFor, type Scope } from './verifier.ts'

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
