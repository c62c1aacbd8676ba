/**
 * Every SASL mechanism, both sides, over whatever the other says; the messages of an exchange are parted by
 * U+001E. It ends, with a result and without a throw, and nobody is let in who proved nothing.
 */
import assert from 'node:assert/strict'
import { digestSecret } from '../../../src/sasl/digest-md5-keys.ts'
import { ntHash } from '../../../src/sasl/md4.ts'
import type {
  Credentials,
  LoginAnswer,
  LoginQuestion,
  SaslInput,
} from '../../../src/sasl/mechanism.ts'
import { clientMechanism, mechanismNames, serverMechanism } from '../../../src/sasl/registry.ts'
import { scramHashes, verifierOf } from '../../../src/sasl/scram-keys.ts'
import { clientContext, serverContext, stretching } from '../../../src/sasl/scripted.ts'
import { tlsFacts } from '../../transcript/harness.ts'
import { latin1, type Target } from '../lab/target.ts'

const STEPS_MAX = 50
const salt = Buffer.from('salt')

const verifiers = new Map(
  scramHashes.map(hash => [
    hash.name,
    { ...verifierOf(hash, Buffer.from('secret'), salt, 4096), genuine: false },
  ]),
)

/** Nobody's password is ever right: who is let in found a hole. */
function answer(question: LoginQuestion): LoginAnswer {
  if (question.kind === 'scram') {
    const verifier = verifiers.get(question.hash)
    if (verifier !== undefined) return { kind: 'verifier', verifier }
  }
  if (question.kind === 'secret') {
    const { scheme, username, realm = '' } = question
    const octets =
      scheme === 'nt'
        ? ntHash('secret')
        : scheme === 'digest-md5'
          ? digestSecret(username, realm, 'secret')
          : Buffer.from('secret')
    return { kind: 'secret', secrets: [{ octets, genuine: false }] }
  }
  assert.notEqual(question.kind, 'proven', 'nothing was proven')
  if (question.kind === 'token') {
    return { kind: 'denied', why: 'no', token: { status: 'invalid_token', scope: 'a' } }
  }
  return { kind: 'denied', why: 'no' }
}

const tls = { ...tlsFacts, bindings: { 'tls-exporter': 'YWJj', 'tls-unique': 'YWJj' } }

function server(name: string): Target {
  return {
    name: `sasl-server-${name.toLowerCase()}`,
    linear: false,
    seeds: () =>
      [
        '\0joe\0secret',
        'joe\x1esecret',
        'n,,n=joe,r=abc\x1ec=biws,r=abcBwcHBwcHBwcHBwcHBwcHBwcHBwcH,p=AAAA',
        'p=tls-exporter,,n=joe,r=abc\x1ec=cD10bHMtZXhwb3J0ZXIsLGFiYw==,r=abc,p=AAAA',
        'y,,n=joe,r=x',
        'joe 0123456789abcdef0123456789abcdef',
        'username="joe",realm="mx.test",nonce="BwcH",nc=00000001,cnonce="x",qop=auth,digest-uri="smtp/mx.test",response=0123456789abcdef0123456789abcdef',
        'NTLMSSP\0\x01\0\0\0\x07\x82\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0',
        `NTLMSSP\0\x01\0\0\0\x07\x82\x08\0\x1eNTLMSSP\0\x03\0\0\0${'\x18\0\x18\0\x40\0\0\0'.repeat(6)}\x07\x82\x08\0${'x'.repeat(80)}`,
        'n,a=joe@example.org,\x01host=x\x01port=1\x01auth=Bearer abc\x01\x01',
        'user=joe\x01auth=Bearer abc\x01\x01',
        'trace@example.org',
        '*',
        '',
      ].map(latin1),
    words: [
      '\x1e',
      ',',
      '=',
      '\0',
      '\x01',
      'n,,',
      'p=',
      'c=',
      'r=',
      'NTLMSSP\0',
      '\x03\0\0\0',
      '"',
      'qop=',
      'auth=Bearer ',
      '=2C',
      '=3D',
    ],
    run: (input, random) => {
      const sent = split(input)
      const mechanism = serverMechanism(name)
      assert.ok(mechanism)
      const initial = random.below(2) === 0 ? sent.shift() : undefined
      const offered = random.below(2) === 0 ? [name] : [name, 'SCRAM-SHA-256-PLUS']
      const secured = random.below(2) === 0 ? { tls } : {}
      const exchange = mechanism.start(initial, serverContext({ offered, ...secured }))
      let out = 0
      let step = exchange.next()
      for (let steps = 0; !step.done; steps++) {
        assert.ok(steps < STEPS_MAX, 'it goes on for ever')
        let given: SaslInput = new Uint8Array(0)
        if (step.value.kind === 'challenge') {
          out += step.value.octets.length
          given = sent.shift() ?? given
        } else given = answer(step.value.question)
        step = exchange.next(given)
      }
      assert.equal(step.value.kind, 'failed', 'somebody was let in')
      return out
    },
  }
}

const credentials: Credentials = {
  username: 'joe',
  password: 'secret',
  token: 'abc',
  certificate: true,
}

function client(name: string): Target {
  return {
    name: `sasl-client-${name.toLowerCase()}`,
    linear: false,
    seeds: () =>
      [
        'r=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHxyz,s=c2FsdA==,i=4096\x1ev=AAAA',
        'e=other-error',
        '<1.2@x>',
        'realm="x",nonce="abc",qop="auth",algorithm=md5-sess,charset=utf-8\x1erspauth=0123456789abcdef0123456789abcdef',
        `NTLMSSP\0\x02\0\0\0\x02\0\x02\0\x38\0\0\0\x05\x82\x89\x02${'\x07'.repeat(8)}${'\0'.repeat(8)}\x08\0\x08\0\x3a\0\0\0${'\0'.repeat(8)}xx\x02\0\0\0\0\0\0\0`,
        '{"status":"invalid_token"}',
        'VXNlcm5hbWU6\x1eUGFzc3dvcmQ6',
        '',
      ].map(latin1),
    words: [
      '\x1e',
      ',',
      '=',
      'r=',
      's=',
      'i=',
      'v=',
      'e=',
      'i=4096',
      'nonce=',
      'qop=',
      '"',
      'NTLMSSP\0',
      '\x02\0\0\0',
    ],
    run: (input, random) => {
      const heard = split(input)
      const mechanism = clientMechanism(name)
      assert.ok(mechanism)
      const secured = random.below(2) === 0 ? { tls } : {}
      const context = clientContext({ offered: [name], ...secured })
      const says = stretching(mechanism.start(credentials, context))
      let out = 0
      let step = says.next(new Uint8Array(0))
      for (let steps = 0; step.done !== true; steps++) {
        assert.ok(steps < STEPS_MAX, 'it goes on for ever')
        assert.ok(step.value instanceof Uint8Array)
        out += step.value.length
        step = says.next(heard.shift() ?? new Uint8Array(0))
      }
      // A server that knows nothing is never known for ours, where the mechanism can tell.
      if (/^(?:SCRAM|DIGEST)/.test(name)) assert.notEqual(step.value, true, 'it believed a liar')
      return out
    },
  }
}

function split(input: Buffer): Buffer[] {
  return input
    .toString('latin1')
    .split('\x1e')
    .map(each => Buffer.from(each, 'latin1'))
}

/** What Kerberos says is read by its own library, not by us. */
const named = mechanismNames.filter(name => !name.startsWith('GSS'))

/** EXTERNAL and ANONYMOUS have nothing to prove by octets; they are in for what they read. */
export const saslTargets: readonly Target[] = [
  ...named.filter(name => serverMechanism(name) !== undefined).map(server),
  ...named.filter(name => clientMechanism(name) !== undefined).map(client),
]
