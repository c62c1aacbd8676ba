/** CRAM-MD5 against the example of its RFC, and against what is none of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cramMd5Client, cramMd5Server } from './cram-md5.ts'
import type { LoginAnswer, LoginQuestion } from './mechanism.ts'
import { clientContext, dialogue, runServer, serverContext } from './scripted.ts'

const text = '<1896.697170952@postoffice.reston.mci.net>'
const digest = 'b913a602c7eda7a495b4e6e7334d3890'
const account = { id: 1, address: 'tim@example.org' }
const secret = (password: string, genuine = true) => ({ octets: Buffer.from(password), genuine })

/** Policy that keeps these secrets. */
const keeping =
  (...secrets: ReturnType<typeof secret>[]) =>
  (question: LoginQuestion): LoginAnswer =>
    question.kind === 'secret' ? { kind: 'secret', secrets } : { kind: 'account', account }

test('the digest is that of RFC 2195 §2', () => {
  const login = { username: 'tim', password: 'tanstaaftanstaaf' }
  const rounds = cramMd5Client.start(login, clientContext())
  rounds.next(new Uint8Array(0))
  const response = rounds.next(Buffer.from(text)).value as Uint8Array
  assert.equal(Buffer.from(response).toString(), `tim ${digest}`)
  assert.deepEqual(rounds.next(new Uint8Array(0)), { done: true, value: true })
})

test('who has the secret logs in, by any of several; a made-up one is never right', async () => {
  const login = { username: 'tim r', password: 'p' }
  for (const [policy, kind] of [
    [keeping(secret('p')), 'done'],
    [keeping(secret('x'), secret('p')), 'done'],
    [keeping(secret('x')), 'failed'],
    [keeping(secret('p', false)), 'failed'],
  ] as const) {
    const { result, asked } = await dialogue(cramMd5Client, cramMd5Server, login, policy)
    assert.equal(result.kind, kind)
    assert.deepEqual(asked[0], {
      ...{ kind: 'secret', mechanism: 'CRAM-MD5', username: 'tim r', scheme: 'password' },
    })
  }
})

test('the challenge is a message id, and another one each time', () => {
  let count = 0
  const chance = (octets: number) => new Uint8Array(octets).fill(++count)
  const challenges = [0, 1].map(() => {
    const ran = runServer(cramMd5Server, [undefined, 'x'], keeping(), serverContext({ chance }))
    return Buffer.from(ran.challenges[0] ?? []).toString()
  })
  assert.deepEqual(
    challenges,
    ['01', '02'].map(octet => `<${octet.repeat(16)}@postrider>`),
  )
})

test('what is no name and no digest is malformed, and so is who begins himself (RFC 4954 §4)', () => {
  for (const response of ['', 'tim', digest, ` ${digest}`, `tim ${digest}0`, 'tim \0', 'tim zz']) {
    const { result } = runServer(cramMd5Server, [undefined, response], keeping())
    assert.equal(result.kind === 'failed' && result.reason, 'malformed', response)
  }
  const { result } = runServer(cramMd5Server, [''], keeping())
  assert.equal(result.kind === 'failed' && result.reason, 'malformed')
})
