import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LoginAnswer, SaslInput } from './mechanism.ts'
import { clientMechanism, mechanismNames, serverMechanism, strongest } from './registry.ts'

test('a mechanism is found under its name in any case', () => {
  assert.deepEqual(mechanismNames, ['SCRAM-SHA-256', 'PLAIN', 'LOGIN', 'CRAM-MD5'])
  for (const name of mechanismNames) {
    assert.equal(serverMechanism(name.toLowerCase())?.name, name)
    assert.equal(clientMechanism(name.toLowerCase())?.name, name)
  }
  assert.equal(serverMechanism('CRAM-MD6'), undefined)
  assert.equal(clientMechanism('constructor'), undefined)
})

test('a client takes the strongest mechanism, and shows its password only under TLS', () => {
  const all = ['login', 'PLAIN', 'X-UNKNOWN', 'scram-sha-256']
  assert.equal(strongest(all, { tls: true })?.name, 'SCRAM-SHA-256')
  assert.equal(strongest(['LOGIN', 'PLAIN'], { tls: true })?.name, 'PLAIN')
  assert.equal(strongest(['LOGIN'], { tls: true })?.name, 'LOGIN')
  assert.equal(strongest(['LOGIN', 'PLAIN'], { tls: false }), undefined)
  assert.equal(strongest(['CRAM-MD5', 'LOGIN', 'PLAIN'], { tls: false })?.name, 'CRAM-MD5')
  assert.equal(strongest(['CRAM-MD5', 'LOGIN'], { tls: true })?.name, 'LOGIN')
  assert.equal(strongest(all, { tls: false })?.name, 'SCRAM-SHA-256')
  assert.equal(strongest([], { tls: true }), undefined)
})

const answers: readonly LoginAnswer[] = [
  { kind: 'account', account: { id: 1, address: 'a@b' } },
  { kind: 'denied', why: 'no' },
  { kind: 'unavailable', why: 'later' },
  {
    kind: 'verifier',
    verifier: {
      salt: new Uint8Array(4),
      iterations: 4096,
      storedKey: new Uint8Array(32),
      serverKey: new Uint8Array(32),
      genuine: true,
    },
  },
]

/** Octets of every kind, many of them nearly right. */
const octets = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc
    .array(
      fc.constantFrom(
        ...['n,,', 'y,,', 'p=', 'n=u', ',', 'r=', 'c=biws', 'a=', '=2C', '=', 'm=', 's=QUJD'],
        ...['i=4096', '\0', 'v=', 'p=QUJD', '\u00ff', 'AAAA', 'é'],
      ),
      { maxLength: 12 },
    )
    .map(parts => new Uint8Array(Buffer.from(parts.join('')))),
)
const input = fc.oneof(octets, fc.constantFrom(...answers))

test('no octets and no answers make a server mechanism throw, and it comes to an end', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...mechanismNames),
      fc.option(octets, { nil: undefined }),
      fc.array(input, { minLength: 5, maxLength: 5 }),
      (name, initial, inputs: readonly SaslInput[]) => {
        const mechanism = serverMechanism(name)
        assert.ok(mechanism !== undefined)
        const exchange = mechanism.start(initial, count => new Uint8Array(count))
        let step = exchange.next()
        for (const next of inputs) if (!step.done) step = exchange.next(next)
        assert.equal(step.done, true)
      },
    ),
    { numRuns: 2000 },
  )
})

test('no octets make a client mechanism throw', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...mechanismNames),
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }),
      fc.array(octets, { minLength: 4, maxLength: 4 }),
      (name, username, password, inputs) => {
        const mechanism = clientMechanism(name)
        assert.ok(mechanism !== undefined)
        const exchange = mechanism.start({ username, password }, count => new Uint8Array(count))
        let step = exchange.next()
        for (const next of inputs) if (!step.done) step = exchange.next(next)
        assert.equal(step.done, true)
      },
    ),
    { numRuns: 1000 },
  )
})
