import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seeded } from './account-world.ts'
import { checkPassword, Hasher, makePassword, parsePhc, parseScram } from './credentials.ts'
import { cheapHashCost } from './settings.ts'

test('a password makes both verifiers, and no two are alike', async () => {
  const hasher = new Hasher(cheapHashCost, seeded(1))
  const [first, second] = [await hasher.make('secret'), await hasher.make('secret')]
  assert.ok(first.kind === 'done' && second.kind === 'done')
  assert.deepEqual(
    first.value.map(({ kind }) => kind),
    ['argon2id', 'scram-sha-256'],
  )
  const [argon, scram] = first.value.map(({ verifier }) => verifier)
  assert.match(argon ?? '', /^\$argon2id\$v=19\$m=8,t=1,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
  assert.equal(parseScram(scram ?? '')?.iterations, 4_096)
  for (const [i, { verifier }] of second.value.entries())
    assert.notEqual(verifier, first.value[i]?.verifier)
  assert.deepEqual(await hasher.verify('secret', argon), { kind: 'done', value: true })
  assert.deepEqual(await hasher.verify('Secret', argon), { kind: 'done', value: false })
})

test('hashing in the pool gives what hashing inline gives', async () => {
  const inline = await new Hasher(cheapHashCost, seeded(1)).make('sécret')
  const pooled = await new Hasher({ ...cheapHashCost, inline: false }, seeded(1)).make('sécret')
  assert.deepEqual(pooled, inline)
})

test('a PHC string made elsewhere is taken', async () => {
  // The reference implementation's: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1
  const phc =
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  const hasher = new Hasher(cheapHashCost, seeded(1))
  assert.deepEqual(await hasher.verify('password', phc), { kind: 'done', value: true })
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
