/** CRAM-MD5 against the example of its RFC, and against what is none of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cramDigest, cramMd5Client, cramMd5Server } from './cram-md5.ts'
import type { LoginAnswer, SaslResult } from './mechanism.ts'

const text = '<1896.697170952@postoffice.reston.mci.net>'
const digest = 'b913a602c7eda7a495b4e6e7334d3890'
const chance = (octets: number) => new Uint8Array(octets).fill(7)
const challenge = `<${'07'.repeat(16)}@postrider>`

test('the digest is that of RFC 2195 §2', () => {
  assert.equal(cramDigest('tanstaaftanstaaf', text), digest)
  const rounds = cramMd5Client.start({ username: 'tim', password: 'tanstaaftanstaaf' }, chance)
  rounds.next(new Uint8Array(0))
  const response = rounds.next(Buffer.from(text)).value as Uint8Array
  assert.equal(Buffer.from(response).toString(), `tim ${digest}`)
  assert.deepEqual(rounds.next(new Uint8Array(0)), { done: true, value: true })
})

function answerTo(response: string, answer: LoginAnswer = { kind: 'denied', why: 'wrong' }) {
  const steps = cramMd5Server.start(undefined, chance)
  const first = steps.next()
  assert.ok(!first.done && first.value.kind === 'challenge')
  assert.equal(Buffer.from(first.value.octets).toString(), challenge)
  const next = steps.next(Buffer.from(response))
  return next.done
    ? { result: next.value }
    : { asked: next.value, result: steps.next(answer).value as SaslResult }
}

test('the server asks for the name and the digest it was given', () => {
  const account = { id: 1, address: 'tim@example.org' }
  const { asked, result } = answerTo(`tim r ${digest.toUpperCase()}`, { kind: 'account', account })
  const question = { kind: 'cram', mechanism: 'CRAM-MD5', username: 'tim r', challenge, digest }
  assert.deepEqual(asked, { kind: 'ask', question })
  assert.deepEqual(result, { kind: 'done', account })
})

test('what is no name and no digest is malformed, and so is an initial response', () => {
  for (const response of ['', 'tim', digest, ` ${digest}`, `tim ${digest}0`, 'tim \0', 'tim zz']) {
    const { result } = answerTo(response)
    assert.equal(result.kind === 'failed' && result.reason, 'malformed', response)
  }
  const { value } = cramMd5Server.start(new Uint8Array(0), chance).next()
  assert.deepEqual('reason' in value && value.reason, 'malformed')
})
