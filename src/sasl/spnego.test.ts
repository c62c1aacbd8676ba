/** SPNEGO with NTLM in it: its tokens, both sides against each other, and what is chosen where tickets are meant first. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { gssapiServer, gssSpnegoServer } from './gssapi.ts'
import { ntHash } from './md4.ts'
import type { LoginAnswer, LoginQuestion, ServerContext } from './mechanism.ts'
import { ntlmRounds } from './ntlm-client.ts'
import { signatureOf } from './ntlm-keys.ts'
import { FLAG } from './ntlm-message.ts'
import { clientContext, dialogue, serverContext } from './scripted.ts'
import { formatInit, formatResp, NTLMSSP, parseInit, parseResp, STATE } from './spnego.ts'
import { spnegoNtlmClient } from './spnego-ntlm.ts'

const KRB5 = '2a864886f712010202'
const account = { id: 1, address: 'joe@example.org' }
const login = { username: 'joe@example.org', password: 'Pässword' }
const withNtlm: Partial<ServerContext> = { offered: ['GSS-SPNEGO', 'NTLM'] }

function keeping(question: LoginQuestion): LoginAnswer {
  if (question.kind === 'gss') return { kind: 'unavailable', why: 'no key', keyless: true }
  if (question.kind !== 'secret') return { kind: 'account', account }
  return { kind: 'secret', secrets: [{ octets: ntHash('Pässword'), genuine: true }] }
}

/** A first token that names several, as MIT and Windows write it. */
function initOf(names: readonly string[], token?: Uint8Array): Buffer {
  const der = (tag: number, ...parts: readonly Uint8Array[]) => {
    const content = Buffer.concat(parts)
    return Buffer.concat([Buffer.of(tag, 0x82, content.length >> 8, content.length & 255), content])
  }
  const oid = (name: string) => der(6, Buffer.from(name, 'hex'))
  const list = der(0xa0, der(0x30, ...names.map(oid)))
  const flags = der(0xa1, Buffer.from('03020640', 'hex'))
  const carried = token === undefined ? [] : [der(0xa2, der(4, token))]
  const init = der(0xa0, der(0x30, list, flags, ...carried))
  return der(0x60, Buffer.from('06062b0601050502', 'hex'), init)
}

test('tokens are read as they are written, also with long lengths and flags', () => {
  const { octets, list } = formatInit(NTLMSSP, Buffer.alloc(300, 1))
  const init = parseInit(octets)
  assert.deepEqual(init?.mechanisms, [NTLMSSP])
  assert.deepEqual(Buffer.from(init?.list ?? ''), list)
  assert.equal(init?.token?.length, 300)
  assert.deepEqual(parseInit(initOf([KRB5, NTLMSSP]))?.mechanisms, [KRB5, NTLMSSP])
  const resp = {
    state: STATE.incomplete,
    mechanism: NTLMSSP,
    token: Buffer.of(1),
    mic: Buffer.of(2),
  }
  assert.deepEqual({ ...parseResp(formatResp(resp)) }, resp)
  assert.deepEqual(parseResp(formatResp({})), {})
})

test('no octets make a reader throw, and what is cut off is no token', () => {
  const whole = initOf([KRB5, NTLMSSP], Buffer.from('NTLMSSP\0'))
  for (let to = 0; to < whole.length; to++)
    assert.equal(parseInit(whole.subarray(0, to)), undefined)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(whole.length), (octets, at) => {
      parseResp(octets)
      parseInit(Buffer.concat([whole.subarray(0, at), octets]))
    }),
  )
})

for (const server of [gssapiServer, gssSpnegoServer])
  test(`both sides meet by ${server.name}; a wrong password does not, nor without NTLM`, async () => {
    const run = (password: string, over: Partial<ServerContext>) =>
      dialogue(spnegoNtlmClient, server, { ...login, password }, keeping, {
        client: clientContext(),
        server: serverContext(over),
      })
    const met = await run('Pässword', withNtlm)
    assert.equal(met.result.kind, 'done')
    assert.equal(met.satisfied, true)
    assert.deepEqual(met.asked[0], {
      ...{ kind: 'secret', mechanism: server.name, username: login.username, scheme: 'nt' },
    })
    assert.equal((await run('x', withNtlm)).result.kind, 'failed')
    assert.equal((await run('Pässword', {})).result.kind, 'failed')
  })

/** A client that begins with Kerberos and can NTLM, step by step; and what it makes of its list's signature. */
function turnedTo(
  sign: (mic: Uint8Array) => Uint8Array | undefined,
  answer = keeping,
): { readonly said: readonly string[]; readonly result: unknown } {
  const names = [KRB5, NTLMSSP]
  const init = initOf(names, Buffer.from('a ticket that nobody here can read'))
  const list = parseInit(init)?.list ?? Buffer.alloc(0)
  const rounds = ntlmRounds(login, clientContext(), FLAG.sign)
  assert.ok(rounds)
  const said: string[] = []
  const exchange = gssSpnegoServer.start(init, serverContext(withNtlm))
  let step = exchange.next()
  while (!step.done) {
    if (step.value.kind === 'ask') {
      step = exchange.next(answer(step.value.question))
      continue
    }
    const { state, mechanism, token } = parseResp(step.value.octets) ?? {}
    said.push(`${state} ${mechanism ?? ''} ${token === undefined ? '' : 'token'}`.trim())
    if (token === undefined) {
      step = exchange.next(formatResp({ token: rounds.negotiate }))
      continue
    }
    const proof = rounds.authenticate(token)
    assert.ok(proof)
    const mic = sign(signatureOf(proof.key, 'client', list))
    step = exchange.next(formatResp({ token: proof.message, ...(mic !== undefined && { mic }) }))
  }
  return { said, result: step.value }
}

test('who means Kerberos where there is none is turned to NTLM, and must sign that he was', () => {
  const { said, result } = turnedTo(mic => mic)
  assert.deepEqual(said, [`${STATE.requestMic} ${NTLMSSP}`, `${STATE.incomplete}  token`])
  assert.ok(typeof result === 'object' && result !== null && 'final' in result)
  const final = parseResp(result.final as Uint8Array)
  assert.equal(final?.state, STATE.completed)
  assert.equal(final?.mic?.length, 16)
  for (const sign of [() => undefined, (mic: Uint8Array) => mic.map(each => each ^ 1)]) {
    const { kind, reason } = turnedTo(sign).result as { kind: string; reason?: string }
    assert.deepEqual([kind, reason], ['failed', 'denied'])
  }
})

test('a ticket that is refused is refused: nobody is turned from it to a password', () => {
  const refusing = (question: LoginQuestion): LoginAnswer =>
    question.kind === 'gss' ? { kind: 'denied', why: 'clock skew' } : keeping(question)
  const { said, result } = turnedTo(mic => mic, refusing)
  assert.deepEqual(said, [])
  assert.equal((result as { kind: string }).kind, 'failed')
})

test('the client takes no other mechanism, no refusal, and no wrong signature', () => {
  const offers = [
    formatResp({ state: STATE.reject }),
    formatResp({ state: STATE.incomplete, mechanism: KRB5 }),
    formatResp({ state: STATE.incomplete, mechanism: NTLMSSP, token: Buffer.of(1) }),
    Buffer.of(0xa1, 5, 0),
    Buffer.alloc(0),
  ]
  for (const offer of offers) {
    const exchange = spnegoNtlmClient.start(login, clientContext())
    exchange.next()
    const { done, value } = exchange.next(offer)
    assert.ok(done && value !== true)
  }
})
