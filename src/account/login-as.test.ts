/** Who comes in as whom: others' accounts, certificates, nobody, and owners of foreign hashes. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { LoginAnswer } from '../sasl/mechanism.ts'
import { alice, denied, exchange, password, town } from './login-world.ts'
import { findLogin } from './reader.ts'

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
