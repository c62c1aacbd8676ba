import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { TlsFacts } from '../wire/effect.ts'
import type { Credentials, LoginAnswer, SaslInput } from './mechanism.ts'
import {
  clientMechanism,
  mechanismNames,
  offeredOn,
  serverMechanism,
  strongest,
} from './registry.ts'
import { clientContext, serverContext } from './scripted.ts'

test('a mechanism is found under its name in any case', () => {
  assert.ok(mechanismNames.includes('SCRAM-SHA-256-PLUS'))
  for (const name of mechanismNames) {
    assert.equal(serverMechanism(name.toLowerCase())?.name, name)
    assert.equal(clientMechanism(name.toLowerCase())?.name, name)
  }
  assert.equal(serverMechanism('CRAM-MD6'), undefined)
  assert.equal(clientMechanism('constructor'), undefined)
})

const tls: TlsFacts = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  verified: true,
  bindings: { 'tls-exporter': 'AAAA' },
}
const { bindings: _none, ...unbound } = tls
const login = { username: 'u', password: 'p' }
const best = (offered: readonly string[], over: object = {}, credentials: Credentials = login) =>
  strongest(offered, { tls, clear: false, ...over }, credentials)?.name

test('a client takes the strongest mechanism, and shows its password only under TLS', () => {
  const all = ['login', 'PLAIN', 'X-UNKNOWN', 'scram-sha-256', 'SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS']
  const clear = { tls: undefined }
  assert.equal(best(all), 'SCRAM-SHA-1-PLUS')
  assert.equal(best(all, { tls: unbound }), 'SCRAM-SHA-256')
  assert.equal(best(all, clear), 'SCRAM-SHA-256')
  assert.equal(best(['SCRAM-SHA-512', ...all], clear), 'SCRAM-SHA-512')
  assert.equal(best(['LOGIN', 'PLAIN']), 'PLAIN')
  assert.equal(best(['LOGIN']), 'LOGIN')
  assert.equal(best(['LOGIN', 'PLAIN'], clear), undefined)
  assert.equal(best(['LOGIN', 'PLAIN'], { tls: undefined, clear: true }), 'PLAIN')
  assert.equal(best(['CRAM-MD5', 'LOGIN', 'PLAIN'], clear), 'CRAM-MD5')
  assert.equal(best(['CRAM-MD5', 'LOGIN']), 'LOGIN')
  assert.equal(best([]), undefined)
})

test('a client takes what it has something to log in with, and only what it may', () => {
  const all = mechanismNames
  assert.equal(best(all, {}, { ...login, mechanisms: ['plain', 'cram-md5'] }), 'PLAIN')
  assert.equal(best(all, {}, { ...login, mechanisms: [] }), undefined)
  assert.equal(best(all, {}, { username: '', certificate: true }), 'EXTERNAL')
  assert.equal(best(all, {}, { username: 'u' }), undefined)
  // Who means to be somebody never ends as nobody.
  assert.equal(best(['ANONYMOUS'], {}, login), undefined)
  assert.equal(best(['ANONYMOUS'], {}, { ...login, mechanisms: ['ANONYMOUS'] }), 'ANONYMOUS')
})

test('a server offers what may run on the connection', () => {
  const names = ['EXTERNAL', 'SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'PLAIN', 'X-NONE']
  const on = (facts: TlsFacts | undefined, clear = false) =>
    offeredOn(names, { tls: facts, clear }).map(({ name }) => name)
  assert.deepEqual(on(tls), ['EXTERNAL', 'SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'PLAIN'])
  assert.deepEqual(on({ ...unbound, verified: false }), ['SCRAM-SHA-256', 'PLAIN'])
  assert.deepEqual(on(undefined), ['SCRAM-SHA-256'])
  assert.deepEqual(on(undefined, true), ['SCRAM-SHA-256', 'PLAIN'])
})

const answers: readonly LoginAnswer[] = [
  { kind: 'account', account: { id: 1, address: 'a@b' } },
  { kind: 'denied', why: 'no' },
  { kind: 'unavailable', why: 'later' },
  { kind: 'secret', secrets: [{ octets: new Uint8Array(16), genuine: true }] },
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
        const exchange = mechanism.start(initial, serverContext({ tls }))
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
        const exchange = mechanism.start({ username, password }, clientContext({ tls }))
        let step = exchange.next()
        for (const next of inputs) if (!step.done) step = exchange.next(next)
        assert.equal(step.done, true)
      },
    ),
    { numRuns: 1000 },
  )
})
