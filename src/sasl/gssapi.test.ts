/** GSSAPI and GSS-SPNEGO over a library that is played: what is asked of it, and what of its answers counts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Established, GssAnswer, GssStep } from '../world/gss.ts'
import { formOf, parseChoice } from './gss-token.ts'
import { gssapiServer, gssSpnegoServer } from './gssapi.ts'
import type { LoginAnswer, LoginQuestion } from './mechanism.ts'
import { runServer, serverContext } from './scripted.ts'

const krb5 = token('06092a864886f712010202', 'ticket')
const spnego = token('06062b0601050502', 'negotiation')

/** An InitialContextToken around this. */
function token(oid: string, inner: string): Buffer {
  const content = Buffer.concat([Buffer.from(oid, 'hex'), Buffer.from(inner)])
  return Buffer.concat([Buffer.of(0x60, content.length), content])
}

const established: Established = {
  ...{ principal: 'joe@EXAMPLE.ORG', mutual: true, integrity: true },
  ...{ confidentiality: true, bound: false },
}

/** Plays the library and policy; wrapping is to put `w:` before it. */
function world(over: Partial<Established> = {}, tokens: readonly string[] = ['last']) {
  const steps: GssStep[] = []
  const left = [...tokens]
  let freed = 0
  const context = { id: 1, free: () => void freed++ }
  const answer = (question: LoginQuestion): LoginAnswer => {
    if (question.kind === 'principal')
      return { kind: 'account', account: { id: 1, address: 'joe@example.org' } }
    if (question.kind !== 'gss') return { kind: 'unavailable', why: question.kind }
    return play(question.step)
  }
  const play = (step: GssStep): GssAnswer => {
    steps.push(step)
    if (step.kind === 'wrap') return done(Buffer.concat([Buffer.from('w:'), step.octets]))
    if (step.kind === 'unwrap') {
      const plain = Buffer.from(step.octets)
      return plain.subarray(0, 2).toString() === 'w:'
        ? done(plain.subarray(2))
        : { kind: 'denied', why: 'not wrapped' }
    }
    const octets = Buffer.from(left.shift() ?? '')
    const complete = left.length === 0
    const facts = { established: { ...established, ...over } }
    return { kind: 'gss', context, octets, complete, ...(complete && facts) }
  }
  const done = (octets: Uint8Array): GssAnswer => ({ kind: 'gss', context, octets, complete: true })
  return { answer, steps, freed: () => freed }
}

const choice = (text: string, layer = 1, size = [0, 0, 0]) =>
  Buffer.concat([Buffer.from('w:'), Buffer.of(layer, ...size), Buffer.from(text)])

test('Kerberos goes on with the layers, of which there is none', () => {
  for (const authorize of ['', 'joe@example.org']) {
    const { answer, steps, freed } = world()
    const ran = runServer(gssapiServer, [krb5, '', choice(authorize)], answer)
    assert.equal(ran.result.kind, 'done')
    assert.deepEqual(
      ran.challenges.map(each => Buffer.from(each).toString()),
      ['last', 'w:\x01\0\0\0'],
    )
    assert.deepEqual(
      steps.map(({ kind }) => kind),
      ['accept', 'wrap', 'unwrap'],
    )
    const asked = ran.asked.at(-1)
    assert.ok(asked?.kind === 'principal')
    assert.deepEqual([asked.principal, asked.authorize], ['joe@EXAMPLE.ORG', authorize])
    assert.equal(freed(), 1)
  }
})

test('without a last token the layers come at once, and without an initial one the client is asked', () => {
  const { answer } = world({}, [''])
  const ran = runServer(gssapiServer, [undefined, krb5, choice('')], answer)
  assert.equal(ran.result.kind, 'done')
  assert.deepEqual(
    ran.challenges.map(each => Buffer.from(each).toString()),
    ['', 'w:\x01\0\0\0'],
  )
})

test('SPNEGO ends with the context; what the server says last goes with the success', () => {
  for (const mechanism of [gssapiServer, gssSpnegoServer]) {
    const { answer, freed } = world({}, ['more', 'last'])
    const ran = runServer(mechanism, [spnego, 'next'], answer)
    assert.ok(ran.result.kind === 'done')
    assert.equal(Buffer.from(ran.result.final ?? []).toString(), 'last')
    assert.equal(freed(), 1)
  }
})

test('a layer that was not offered, a size without one, and what is no identity are refused', () => {
  const cases = [
    [choice('', 2), 'denied'],
    [choice('', 3), 'denied'],
    [choice('', 4), 'denied'],
    [choice('', 0), 'denied'],
    [choice('', 1, [0, 16, 0]), 'malformed'],
    [choice('\xff'), 'done'],
    [Buffer.concat([choice(''), Buffer.of(0xff)]), 'malformed'],
    [choice('a\0'), 'malformed'],
    [Buffer.from('w:\x01\0\0'), 'malformed'],
    [Buffer.from('\x01\0\0\0'), 'denied'],
  ] as const
  for (const [sent, expected] of cases) {
    const { answer, freed } = world()
    const { result } = runServer(gssapiServer, [krb5, '', sent], answer)
    assert.equal(result.kind === 'done' ? 'done' : result.reason, expected, sent.toString('hex'))
    assert.equal(freed(), 1)
  }
  const bare = world({ integrity: false })
  const without = runServer(gssapiServer, [krb5, '', choice('')], bare.answer)
  assert.equal(without.result.kind === 'failed' && without.result.reason, 'denied')
})

test('a negotiation without an end is ended, and its context given back', () => {
  const { answer, freed } = world({}, Array(50).fill('more'))
  const { result } = runServer(gssSpnegoServer, [spnego, ...Array(50).fill('x')], answer)
  assert.equal(result.kind === 'failed' && result.reason, 'malformed')
  assert.equal(freed(), 1)
})

test('a client that gives up, and a library that fails, leave nothing behind', () => {
  const { answer, freed } = world()
  const steps = gssapiServer.start(krb5, serverContext())
  let step = steps.next()
  while (step.done !== true && step.value.kind === 'ask')
    step = steps.next(answer(step.value.question))
  steps.return({ kind: 'failed', reason: 'denied', why: 'given up' })
  assert.equal(freed(), 1)
  const broken = (): LoginAnswer => ({ kind: 'unavailable', why: 'no library' })
  const { result } = runServer(gssapiServer, [krb5], broken)
  assert.equal(result.kind === 'failed' && result.reason, 'unavailable')
})

test('the certificate of the connection is named to the library', () => {
  const { answer, steps } = world()
  const bindings = { 'tls-server-end-point': Buffer.from('hash').toString('base64') }
  const tls = { protocol: 'TLSv1.3', cipher: 'x', verified: false, bindings }
  runServer(gssapiServer, [krb5, '', choice('')], answer, serverContext({ tls }))
  const [first] = steps
  assert.ok(first?.kind === 'accept')
  assert.equal(Buffer.from(first.binding ?? []).toString(), 'tls-server-end-point:hash')
})

test('only a whole first token of these two mechanisms comes before the library', () => {
  assert.equal(formOf(krb5), 'krb5')
  assert.equal(formOf(spnego), 'spnego')
  const long = Buffer.concat([Buffer.from('06092a864886f712010202', 'hex'), Buffer.alloc(300)])
  assert.equal(formOf(Buffer.concat([Buffer.of(0x60, 0x82, 1, 0x37), long])), 'krb5')
  const bad = [
    ...['', '60', '6000', '6080', '60ff', '6081', '608500000000', '600b06092a864886f712010203'],
    ...[`${krb5.toString('hex')}00`, krb5.toString('hex').slice(0, -2)],
    // Kerberos by way of a KDC's proxy (IAKERB) is for nobody here.
    token('06062b0601050205', 'x').toString('hex'),
  ]
  for (const hex of bad) {
    assert.equal(formOf(Buffer.from(hex, 'hex')), undefined, hex)
    const { result, asked } = runServer(gssapiServer, [Buffer.from(hex, 'hex')], world().answer)
    assert.equal(result.kind === 'failed' && result.reason, 'malformed', hex)
    assert.equal(asked.length, 0)
  }
})

test('whatever octets come, they are judged and nothing throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), octets => {
      formOf(octets)
      parseChoice(octets)
      const mutant = Buffer.from(krb5)
      mutant.set(octets.subarray(0, mutant.length))
      runServer(gssapiServer, [mutant, octets, octets], world().answer)
    }),
    { numRuns: 300 },
  )
})
