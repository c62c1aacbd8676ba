import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loginClient, loginServer } from './login.ts'
import type {
  Account,
  LoginAnswer,
  LoginQuestion,
  SaslResult,
  ServerMechanism,
} from './mechanism.ts'
import { plainClient, plainServer } from './plain.ts'
import { clientContext, serverContext } from './scripted.ts'

const account: Account = { id: 1, address: 'tim@example.org' }

/** Runs a server mechanism over what a client sends; the first item is the initial response. */
function run(
  mechanism: ServerMechanism,
  sent: readonly (string | Uint8Array | undefined)[],
  answer: LoginAnswer = { kind: 'account', account },
): { result: SaslResult; challenges: string[]; asked: LoginQuestion[] } {
  const inputs = sent.map(item => (typeof item === 'string' ? Buffer.from(item) : item))
  const exchange = mechanism.start(inputs.shift(), serverContext())
  const challenges: string[] = []
  const asked: LoginQuestion[] = []
  let step = exchange.next()
  while (!step.done) {
    if (step.value.kind === 'challenge') {
      challenges.push(Buffer.from(step.value.octets).toString())
      step = exchange.next(inputs.shift() ?? new Uint8Array(0))
    } else {
      asked.push(step.value.question)
      step = exchange.next(answer)
    }
  }
  return { result: step.value, challenges, asked }
}

const question = (mechanism: string, username: string, password: string, authorize = '') => ({
  kind: 'password',
  mechanism,
  username,
  authorize,
  password,
})

test('PLAIN takes the initial response', () => {
  const { result, challenges, asked } = run(plainServer, ['\0tim\0tanstaaftanstaaf'])
  assert.deepEqual(challenges, [])
  assert.deepEqual(asked, [question('PLAIN', 'tim', 'tanstaaftanstaaf')])
  assert.deepEqual(result, { kind: 'done', account })
})

test('PLAIN without an initial response sends an empty challenge', () => {
  const { challenges, asked } = run(plainServer, [undefined, 'Ursel\0Kurt\0xipj3plmq'])
  assert.deepEqual(challenges, [''])
  assert.deepEqual(asked, [question('PLAIN', 'Kurt', 'xipj3plmq', 'Ursel')])
})

test('PLAIN prepares the name and the password', () => {
  const { asked } = run(plainServer, ['\0I\u00adX\0\u2168\u00a0\u{1f600}'])
  assert.deepEqual(asked, [question('PLAIN', 'IX', 'IX \u{1f600}')])
})

test('PLAIN refuses what is not its message as malformed, and asks nobody', () => {
  const broken = [
    '',
    'tim',
    'tim\0password',
    '\0tim\0pass\0word',
    '\0\0\0',
    new Uint8Array([0, 0xff, 0, 0x61]),
    new Uint8Array([0, 0x61, 0, 0xc3]),
    new Uint8Array([0xc0, 0x80, 0, 0x61, 0, 0x61]),
  ]
  for (const sent of broken) {
    const { result, asked } = run(plainServer, [sent])
    assert.equal(result.kind === 'failed' && result.reason, 'malformed', JSON.stringify(sent))
    assert.deepEqual(asked, [])
  }
})

test('an empty or prohibited name or password fails as a wrong one does', () => {
  for (const sent of [
    '\0\0secret',
    '\0tim\0',
    '\0\0',
    '\0tim\0\u0007',
    '\0\u00ad\0x',
    '\u0007\0tim\0x',
  ]) {
    const { result } = run(plainServer, [sent])
    assert.equal(result.kind === 'failed' && result.reason, 'denied', JSON.stringify(sent))
  }
})

test('the word of policy becomes the result', () => {
  for (const reason of ['denied', 'unavailable'] as const) {
    const { result } = run(plainServer, ['\0tim\0x'], { kind: reason, why: 'because' })
    assert.deepEqual(result, { kind: 'failed', reason, why: 'because' })
  }
})

test('LOGIN prompts for the name and the password', () => {
  const { challenges, asked, result } = run(loginServer, [undefined, 'tim', 'secret'])
  assert.deepEqual(challenges, ['Username:', 'Password:'])
  assert.deepEqual(asked, [question('LOGIN', 'tim', 'secret')])
  assert.deepEqual(result, { kind: 'done', account })
})

test('LOGIN takes the name as an initial response, but an empty one is none', () => {
  assert.deepEqual(run(loginServer, ['tim', 'secret']).challenges, ['Password:'])
  assert.deepEqual(run(loginServer, ['', 'tim', 'secret']).challenges, ['Username:', 'Password:'])
})

test('LOGIN refuses octets that are not UTF-8 text', () => {
  for (const sent of [
    [new Uint8Array([0xff]), 'x'],
    ['tim', new Uint8Array([0xff])],
    ['t\0im', 'x'],
    ['tim', 'x\0'],
  ]) {
    const { result } = run(loginServer, sent)
    assert.equal(result.kind === 'failed' && result.reason, 'malformed')
  }
})

test('the clients say what the servers read', () => {
  const credentials = { username: 'tím', password: 'pä=,ss', authorize: 'tím' }
  const plain = plainClient.start(credentials, clientContext()).next()
  assert.deepEqual(run(plainServer, [plain.value as Uint8Array]).asked, [
    question('PLAIN', 'tím', 'pä=,ss', 'tím'),
  ])
  const login = loginClient.start(credentials, clientContext())
  const sent = [login.next().value, login.next(Buffer.from('User Name\0')).value]
  assert.deepEqual(run(loginServer, sent as Uint8Array[]).asked, [
    question('LOGIN', 'tím', 'pä=,ss'),
  ])
  assert.deepEqual(login.next(new Uint8Array(0)), { done: true, value: true })
})

test('a client gives up rather than say something else than it was told', () => {
  const nul = plainClient.start({ username: 'a\0b', password: 'c' }, clientContext()).next()
  assert.deepEqual(nul, { done: true, value: false })
  const other = loginClient
    .start({ username: 'a', password: 'b', authorize: 'c' }, clientContext())
    .next()
  assert.deepEqual(other, { done: true, value: false })
})
