/** NTLMv2: the values of MS-NLMP §4.2.4, both sides against each other, and messages that are none. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { TlsFacts } from '../wire/effect.ts'
import { ntHash } from './md4.ts'
import type { LoginAnswer, LoginQuestion, SaslResult } from './mechanism.ts'
import { ntlmServer } from './ntlm.ts'
import { ntlmClient } from './ntlm-client.ts'
import { proofOf, responseKey } from './ntlm-keys.ts'
import {
  FLAG,
  formatChallenge,
  formatNegotiate,
  formatPairs,
  parseAuthenticate,
  parseChallenge,
  parseNegotiate,
  parsePairs,
} from './ntlm-message.ts'
import { clientContext, dialogue, runServer, serverContext } from './scripted.ts'

const account = { id: 1, address: 'joe@example.org' }
const hex = (octets: Uint8Array) => Buffer.from(octets).toString('hex')

const keeping =
  (password: string, genuine = true) =>
  (question: LoginQuestion): LoginAnswer =>
    question.kind === 'secret'
      ? { kind: 'secret', secrets: [{ octets: ntHash(password), genuine }] }
      : { kind: 'account', account }

const login = { username: 'joe@example.org', password: 'Pässword' }

test('the key and the proof are those of MS-NLMP §4.2.4', () => {
  const key = responseKey(ntHash('Password'), 'User', 'Domain')
  assert.equal(hex(key), '0c868a403bfd7a93a3001ef22ef02e3f')
  const pairs = Buffer.from(
    '02000c0044006f006d00610069006e0001000c0053006500720076006500720000000000',
    'hex',
  )
  const head = Buffer.from(`0101000000000000${'00'.repeat(8)}${'aa'.repeat(8)}00000000`, 'hex')
  const blob = Buffer.concat([head, pairs, Buffer.alloc(4)])
  const proof = proofOf(key, Buffer.from('0123456789abcdef', 'hex'), blob)
  assert.equal(hex(proof), '68cd0ab851e51c96aabc927bebef6a1c')
})

test('both sides meet; a wrong password, a made-up hash and another user do not', async () => {
  for (const [policy, kind] of [
    [keeping('Pässword'), 'done'],
    [keeping('password'), 'failed'],
    [keeping('Pässword', false), 'failed'],
  ] as const) {
    const { result, asked } = await dialogue(ntlmClient, ntlmServer, login, policy)
    assert.equal(result.kind, kind)
    assert.deepEqual(asked[0], {
      ...{ kind: 'secret', mechanism: 'NTLM', username: 'joe@example.org', scheme: 'nt' },
    })
  }
})

test('a name in a domain of mail is an address, one of a Windows network is a name', async () => {
  for (const [username, asked] of [
    ['EXAMPLE\\joe', 'joe'],
    ['example.org\\joe', 'joe@example.org'],
    ['joe', 'joe'],
  ] as const) {
    const ran = await dialogue(ntlmClient, ntlmServer, { ...login, username }, keeping('Pässword'))
    assert.equal(ran.asked[0]?.username, asked)
    assert.equal(ran.result.kind, 'done')
  }
})

test('a client without Unicode, as curl is, is understood as far as ASCII goes', () => {
  const negotiate = formatNegotiate(FLAG.oem | FLAG.ntlm)
  const exchange = ntlmServer.start(negotiate, serverContext())
  const offer = exchange.next().value
  assert.ok('octets' in offer)
  const challenge = parseChallenge(offer.octets)
  assert.ok(challenge)
  assert.equal(challenge.flags & (FLAG.unicode | FLAG.oem), FLAG.oem)
  const blob = Buffer.concat([Buffer.alloc(28), challenge.targetInfo, Buffer.alloc(4)])
  const key = responseKey(ntHash('p'), 'joe', '')
  const ntResponse = Buffer.concat([proofOf(key, challenge.challenge, blob), blob])
  const head = Buffer.alloc(64)
  head.write('NTLMSSP\0', 'latin1')
  head.writeUInt32LE(3, 8)
  for (const [place, length, at] of [
    [20, ntResponse.length, 67],
    [36, 3, 64],
  ] as const) {
    head.writeUInt16LE(length, place)
    head.writeUInt32LE(at, place + 4)
  }
  const asked = exchange.next(Buffer.concat([head, Buffer.from('joe'), ntResponse])).value
  assert.ok('question' in asked && asked.question.kind === 'secret')
  const proven = exchange.next(keeping('p')(asked.question)).value
  assert.ok('question' in proven && proven.question.kind === 'proven')
})

test('without a message of the client the server says words, and then its challenge', () => {
  const exchange = ntlmServer.start(undefined, serverContext())
  const first = exchange.next().value
  assert.ok('words' in first && first.words === true)
  assert.equal(Buffer.from(first.octets).toString(), 'NTLM supported')
  const second = exchange.next(formatNegotiate(FLAG.unicode | FLAG.ntlm)).value
  assert.ok('octets' in second && parseChallenge(second.octets) !== undefined)
})

const tls = (binding: string): TlsFacts => ({
  ...{ protocol: 'TLSv1.3', cipher: 'x', verified: true },
  bindings: { 'tls-server-end-point': Buffer.from(binding).toString('base64') },
})

test('a login that is bound to one certificate is worth nothing at another', async () => {
  const run = async (near: string, far: string) =>
    (
      await dialogue(ntlmClient, ntlmServer, login, keeping('Pässword'), {
        client: clientContext({ tls: tls(near) }),
        server: serverContext({ tls: tls(far) }),
      })
    ).result.kind
  assert.equal(await run('a', 'a'), 'done')
  assert.equal(await run('a', 'b'), 'failed')
})

/** Our client's last message to the challenge of our server. */
function authenticateOf(): { readonly negotiate: Uint8Array; readonly authenticate: Buffer } {
  const client = ntlmClient.start(login, clientContext())
  const negotiate = client.next().value as Uint8Array
  const server = ntlmServer.start(negotiate, serverContext())
  const challenge = server.next().value
  assert.ok('octets' in challenge)
  const authenticate = Buffer.from(client.next(challenge.octets).value as Uint8Array)
  return { negotiate, authenticate }
}

function judged(authenticate: Uint8Array): SaslResult {
  const { negotiate } = authenticateOf()
  return runServer(ntlmServer, [negotiate, authenticate], keeping('Pässword')).result
}

test('the last message counts as it was sent, or not at all', () => {
  const { authenticate } = authenticateOf()
  assert.equal(judged(authenticate).kind, 'done')
  for (let at = 0; at < authenticate.length; at += 1) {
    const changed = Buffer.from(authenticate)
    changed[at] = (changed[at] ?? 0) ^ 0x01
    // Room that is told and not used, and what does not count, are covered by the MIC all the same.
    assert.equal(judged(changed).kind, 'failed', `octet ${at}`)
  }
  for (let length = 0; length < authenticate.length; length += 7)
    assert.equal(judged(authenticate.subarray(0, length)).kind, 'failed')
})

test('offsets and lengths beyond the buffer, in the head, and overlaps are malformed', () => {
  const { authenticate } = authenticateOf()
  for (const place of [12, 20, 28, 36])
    for (const [length, offset] of [
      [0xffff, 88],
      [8, 0xffffffff],
      [8, 0xfffffff0],
      [8, 0],
      [8, 63],
      [8, authenticate.length - 4],
    ] as const) {
      const changed = Buffer.from(authenticate)
      changed.writeUInt16LE(length, place)
      changed.writeUInt32LE(offset, place + 4)
      assert.equal(parseAuthenticate(changed), undefined, `${place} ${length} ${offset}`)
    }
  const overlap = Buffer.from(authenticate)
  overlap.writeUInt32LE(overlap.readUInt32LE(24), 40)
  assert.equal(parseAuthenticate(overlap), undefined)
})

test('names must be whole UTF-16, or ASCII', () => {
  const { authenticate } = authenticateOf()
  const userAt = authenticate.readUInt32LE(40)
  const with16 = (unit: number) => {
    const changed = Buffer.from(authenticate)
    changed.writeUInt16LE(unit, userAt)
    return parseAuthenticate(changed)
  }
  assert.ok(with16(0x61))
  assert.equal(with16(0xd800), undefined)
  assert.equal(with16(0x0000), undefined)
  const odd = Buffer.from(authenticate)
  odd.writeUInt16LE(odd.readUInt16LE(36) - 1, 36)
  assert.equal(parseAuthenticate(odd), undefined)
})

test('a server that sets every flag is answered like any other', () => {
  const rounds = ntlmClient.start({ username: 'u', password: 'p' }, clientContext())
  rounds.next(new Uint8Array(0))
  const targetInfo = formatPairs([])
  const challenge = { flags: 0xffffffff, challenge: new Uint8Array(8), targetInfo }
  const { value } = rounds.next(formatChallenge(challenge, new Uint8Array(0)))
  assert.ok(value instanceof Uint8Array && parseAuthenticate(value) !== undefined)
})

test('no octets make a parser throw', () => {
  const signed = fc
    .tuple(fc.constantFrom(1, 2, 3), fc.uint8Array({ maxLength: 200 }))
    .map(([type, rest]) =>
      Buffer.concat([Buffer.from(`NTLMSSP\0${String.fromCharCode(type)}\0\0\0`), rest]),
    )
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), signed), octets => {
      parseNegotiate(octets)
      parseChallenge(octets)
      parseAuthenticate(octets)
      parsePairs(octets)
    }),
    { numRuns: 3000 },
  )
})

test('pairs are read as they were written, and not where they are cut', () => {
  const pairs: readonly (readonly [number, Uint8Array])[] = [
    [1, Buffer.from('ab')],
    [7, new Uint8Array(8)],
  ]
  const written = formatPairs(pairs)
  assert.deepEqual(parsePairs(written)?.size, 2)
  for (let length = 0; length < written.length; length++)
    assert.equal(parsePairs(written.subarray(0, length)), undefined)
})
