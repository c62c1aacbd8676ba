import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseVerifier, sha256 } from '../sasl/scram-keys.ts'
import { seeded } from './account-world.ts'
import { parsePhc } from './argon2-string.ts'
import { checkFastHash, checkPassword, Hasher, makePassword } from './credentials.ts'
import { sealingKey, unseal } from './seal.ts'
import { cheapHashCost } from './settings.ts'
import { kindsFor, type Verifier, type VerifierKind } from './verifier.ts'

const kinds: readonly VerifierKind[] = ['argon2id', 'scram-sha-256']
const every = kindsFor(['SCRAM-SHA-1', 'SCRAM-SHA-512-PLUS', 'CRAM-MD5', 'DIGEST-MD5', 'NTLM'])
const key = sealingKey('x')
const hasherOf = (wanted = kinds, cost = cheapHashCost) =>
  new Hasher(cost, seeded(1), () => ({ kinds: wanted, realm: 'mx.test', sealingKey: key }))
const secret = (password: string, beside: readonly Verifier[] = []) => ({
  ...{ password, address: 'a@example.org', beside },
})

async function made(hasher: Hasher, password: string, beside: readonly Verifier[] = []) {
  const verifiers = await hasher.make(secret(password, beside))
  assert.ok(verifiers.kind === 'done')
  return verifiers.value
}

const of = (kind: VerifierKind, verifiers: readonly Verifier[]) =>
  verifiers.find(each => each.kind === kind)?.verifier ?? ''

test('a password makes both verifiers, and no two are alike', async () => {
  const hasher = hasherOf()
  const [first, second] = [await made(hasher, 'secret'), await made(hasher, 'secret')]
  assert.deepEqual(
    first.map(({ kind }) => kind),
    kinds,
  )
  const argon = of('argon2id', first)
  assert.match(argon, /^\$argon2id\$v=19\$m=8,t=1,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
  assert.equal(parseVerifier(sha256, of('scram-sha-256', first))?.iterations, 4_096)
  for (const [i, { verifier }] of second.entries()) assert.notEqual(verifier, first[i]?.verifier)
  assert.deepEqual(await hasher.verify('secret', argon), { kind: 'done', value: true })
  assert.deepEqual(await hasher.verify('Secret', argon), { kind: 'done', value: false })
})

test('what a mechanism needs is kept only where it is switched on', async () => {
  assert.deepEqual(kindsFor(['PLAIN', 'LOGIN', 'EXTERNAL']), ['argon2id'])
  assert.deepEqual(kindsFor(['APOP']), ['argon2id', 'password'])
  assert.deepEqual(every, [
    ...['argon2id', 'scram-sha-1', 'scram-sha-512', 'password', 'digest-md5', 'nt'],
  ])
  const verifiers = await made(hasherOf(every), 'Password')
  assert.equal(of('nt', verifiers), 'a4f49c406510bdcab6824ee7c30fd852')
  assert.match(of('digest-md5', verifiers), /^mx\.test:[0-9a-f]{32}$/)
  const sealed = of('password', verifiers)
  assert.equal(unseal(key, 'a@example.org', sealed), 'Password')
  assert.equal(unseal(key, 'b@example.org', sealed), undefined)
  assert.equal(unseal(sealingKey('y'), 'a@example.org', sealed), undefined)
  assert.equal(unseal(key, 'a@example.org', 'AAAA'), undefined)
})

test('all passwords of an account share a SCRAM salt, so that a proof may be of any of them', async () => {
  const hasher = hasherOf()
  const salt = (verifiers: readonly Verifier[]) =>
    Buffer.from(parseVerifier(sha256, of('scram-sha-256', verifiers))?.salt ?? []).toString('hex')
  const first = await made(hasher, 'secret')
  assert.equal(salt(await made(hasher, 'other', first)), salt(first))
  const app = await hasher.makeApp(secret('x', first))
  assert.ok(app.kind === 'done')
  assert.equal(salt(app.value), salt(first))
  assert.deepEqual(
    app.value.map(({ kind }) => kind),
    ['sha256', 'scram-sha-256'],
  )
  assert.equal(checkFastHash('x', of('sha256', app.value)), true)
  assert.equal(checkFastHash('y', of('sha256', app.value)), false)
  assert.equal(checkFastHash('x', ''), false)
})

test('hashing in the pool gives what hashing inline gives', async () => {
  const inline = await made(hasherOf(), 'sécret')
  const pooled = await made(hasherOf(kinds, { ...cheapHashCost, inline: false }), 'sécret')
  assert.deepEqual(pooled, inline)
})

test('a PHC string made elsewhere is taken', async () => {
  // The reference implementation's: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1
  const phc =
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  assert.deepEqual(await hasherOf().verify('password', phc), { kind: 'done', value: true })
})

test('a damaged verifier is nobody', () => {
  const good = `$argon2id$v=19$m=8,t=1,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`
  assert.ok(parsePhc(good))
  for (const damaged of [
    '',
    'secret',
    good.replace('argon2id', 'argon2i'),
    good.replace('v=19', 'v=16'),
    good.replace('m=8', 'm=7'),
    good.replace('m=8', 'm=9999999'),
    good.replace('t=1', 't=0'),
    good.replace('p=1', 'p=2'),
    good.replace('p=1', 'p=0'),
    good.slice(0, -40),
    `${good}$`,
    good.replace(',p=1', ''),
  ])
    assert.equal(parsePhc(damaged), undefined, damaged)
})

test('a password that no mail program could send is refused when it is set', () => {
  assert.deepEqual(checkPassword('pass\u00a0wörd \u{1f600}'), { password: 'pass wörd \u{1f600}' })
  for (const bad of ['', '\u0007', 'a\0b', '\ud800', '\u00ad', 'x'.repeat(1_025)])
    assert.ok('why' in checkPassword(bad), JSON.stringify(bad))
})

test('a made-up password has 20 characters that nobody mistakes', () => {
  const random = seeded(2)
  const made = new Set(Array.from({ length: 100 }, () => makePassword(random)))
  assert.equal(made.size, 100)
  for (const one of made) assert.match(one, /^[a-km-zA-HJ-NP-Z2-9]{20}$/)
})
