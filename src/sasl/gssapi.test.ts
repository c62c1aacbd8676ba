/** GSSAPI and GSS-SPNEGO over a library that is played: what is asked of it, and what of its answers counts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Established } from '../world/gss.ts'
import { formOf, parseChoice } from './gss-token.ts'
import { gssapiServer, gssSpnegoServer } from './gssapi.ts'
import { gssapiClient, gssSpnegoClient } from './gssapi-client.ts'
import type {
  ClientContext,
  ClientMechanism,
  LoginAnswer,
  LoginQuestion,
  ServerMechanism,
} from './mechanism.ts'
import { clientContext, runServer, serverContext } from './scripted.ts'
import { firstToken, playedGss } from './scripted-gss.ts'

const krb5 = firstToken('krb5', 'ticket')
const spnego = firstToken('spnego', 'negotiation')

/** The library played, and policy with it. */
function world(over: Partial<Established> = {}, tokens: readonly string[] = ['last']) {
  const gss = playedGss(tokens, over)
  const answer = (question: LoginQuestion): LoginAnswer => {
    if (question.kind === 'principal')
      return { kind: 'account', account: { id: 1, address: 'joe@example.org' } }
    if (question.kind !== 'gss') return { kind: 'unavailable', why: question.kind }
    return gss.answer(question.step)
  }
  return { answer, steps: gss.steps, open: gss.open }
}

const choice = (text: string, layer = 1, size = [0, 0, 0]) =>
  Buffer.concat([Buffer.from('w:'), Buffer.of(layer, ...size), Buffer.from(text)])

test('Kerberos goes on with the layers, of which there is none', () => {
  for (const authorize of ['', 'joe@example.org']) {
    const { answer, steps, open } = world()
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
    assert.equal(open(), 0)
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
    const { answer, open } = world({}, ['more', 'last'])
    const ran = runServer(mechanism, [spnego, 'next'], answer)
    assert.ok(ran.result.kind === 'done')
    assert.equal(Buffer.from(ran.result.final ?? []).toString(), 'last')
    assert.equal(open(), 0)
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
    const { answer, open } = world()
    const { result } = runServer(gssapiServer, [krb5, '', sent], answer)
    assert.equal(result.kind === 'done' ? 'done' : result.reason, expected, sent.toString('hex'))
    assert.equal(open(), 0)
  }
  const bare = world({ integrity: false })
  const without = runServer(gssapiServer, [krb5, '', choice('')], bare.answer)
  assert.equal(without.result.kind === 'failed' && without.result.reason, 'denied')
})

test('a negotiation without an end is ended, and its context given back', () => {
  const { answer, open } = world({}, Array(50).fill('more'))
  const { result } = runServer(gssSpnegoServer, [spnego, ...Array(50).fill('x')], answer)
  assert.equal(result.kind === 'failed' && result.reason, 'malformed')
  assert.equal(open(), 0)
})

test('a client that gives up, and a library that fails, leave nothing behind', () => {
  const { answer, open } = world()
  const steps = gssapiServer.start(krb5, serverContext())
  let step = steps.next()
  while (step.done !== true && step.value.kind === 'ask')
    step = steps.next(answer(step.value.question))
  steps.return({ kind: 'failed', reason: 'denied', why: 'given up' })
  assert.equal(open(), 0)
  const broken = (): LoginAnswer => ({ kind: 'unavailable', why: 'no library' })
  const { result } = runServer(gssapiServer, [krb5], broken)
  assert.equal(result.kind === 'failed' && result.reason, 'unavailable')
})

test('a client may bind to the certificate or to the connection, or to its Finished', () => {
  const { answer, steps } = world()
  const bindings = {
    'tls-server-end-point': Buffer.from('hash').toString('base64'),
    'tls-exporter': Buffer.from('secret').toString('base64'),
  }
  const finished = Buffer.from('finished').toString('base64')
  const tls = { protocol: 'TLSv1.3', cipher: 'x', verified: false, bindings, finished }
  runServer(gssapiServer, [krb5, '', choice('')], answer, serverContext({ tls }))
  const [first] = steps
  assert.ok(first?.kind === 'accept')
  assert.deepEqual(
    first.bindings.map(each => Buffer.from(each).toString()),
    ['tls-server-end-point:hash', 'tls-exporter:secret', 'finished'],
  )
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
    `600906062b0601050205${'78'}`,
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

/** A client over the library against what a server says; what it said and its word at the end. */
function runClient(
  mechanism: ClientMechanism,
  heard: readonly (string | Buffer)[],
  {
    authorize,
    gss = playedGss(),
    spnego = false,
  }: { authorize?: string; gss?: ReturnType<typeof playedGss>; spnego?: boolean } = {},
  context: Partial<ClientContext> = {},
) {
  const credentials = { username: '', ticket: { spnego }, ...(authorize && { authorize }) }
  const rounds = mechanism.start(credentials, clientContext(context))
  const said: string[] = []
  const left = heard.map(each => Buffer.from(each))
  let step = rounds.next(new Uint8Array(0))
  while (step.done !== true) {
    if (step.value instanceof Uint8Array) {
      said.push(Buffer.from(step.value).toString('latin1'))
      step = rounds.next(left.shift() ?? new Uint8Array(0))
    } else if (step.value.kind !== 'stretch') step = rounds.next(gss.answer(step.value))
  }
  return { said, word: step.value, gss }
}

const ticketFor = (form: 'krb5' | 'spnego', target: string) =>
  firstToken(form, target).toString('latin1')

test('the client of RFC 4752 chooses no layer, and says as whom it acts', () => {
  for (const [layers, word] of [
    ['\x01\0\0\0', true],
    ['\x07\0\x10\0', true],
    ['\x06\0\x10\0', 'the server wants a security layer'],
    ['\x01\0\0', 'the server wants a security layer'],
  ] as const) {
    const ran = runClient(gssapiClient, ['last', `w:${layers}`], { authorize: 'jö' })
    assert.equal(ran.word, word)
    assert.equal(ran.gss.open(), 0)
    const [first, second, third] = ran.said
    assert.deepEqual([first, second], [ticketFor('krb5', 'smtp@mx.test'), ''])
    if (word === true) assert.equal(third, 'w:\x01\0\0\0j\xc3\xb6')
  }
})

test('the client of SPNEGO ends with the context, and goes on where the server does', () => {
  assert.equal(runClient(gssSpnegoClient, ['last']).word, true)
  assert.equal(runClient(gssapiClient, ['last'], { spnego: true }).word, true)
  const more = runClient(gssSpnegoClient, ['last', 'w:\x01\0\0\0'], { authorize: 'x' })
  assert.deepEqual([more.word, more.said[2]], [true, 'w:\x01\0\0\0x'])
  assert.match(`${runClient(gssSpnegoClient, ['last'], { authorize: 'x' }).word}`, /cannot say/)
})

test('a server that proves nothing, or says what is not wrapped, is not believed', () => {
  const gss = playedGss(['last'], { mutual: false })
  assert.equal(runClient(gssapiClient, ['last'], { gss }).word, 'the server did not prove itself')
  assert.equal(runClient(gssapiClient, ['last', '\x01\0\0\0']).word, 'not wrapped')
  const endless = runClient(gssapiClient, Array(20).fill('more'))
  assert.equal(endless.word, 'the negotiation does not end')
  for (const ran of [endless, { gss }]) assert.equal(ran.gss.open(), 0)
})

test('client and server meet, over one library', () => {
  const pairs: readonly (readonly [ClientMechanism, ServerMechanism])[] = [
    [gssapiClient, gssapiServer],
    [gssSpnegoClient, gssSpnegoServer],
  ]
  for (const [client, server] of pairs) {
    const { answer, open } = world()
    const sent: (string | Buffer)[] = []
    // Each side's words are known before the other speaks: the library plays the same to everybody.
    const { said, word } = runClient(client, [
      'last',
      ...(client === gssapiClient ? ['w:\x01\0\0\0'] : []),
    ])
    for (const words of said) sent.push(Buffer.from(words, 'latin1'))
    assert.equal(word, true)
    assert.equal(runServer(server, sent, answer).result.kind, 'done')
    assert.equal(open(), 0)
  }
})
