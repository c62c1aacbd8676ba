import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scriptedNode } from '../../test/kit/visits.ts'
import type { Login } from '../account/login.ts'
import type { Place } from '../limit/slots.ts'
import type { LoginAnswer, LoginQuestion } from '../sasl/mechanism.ts'
import { guardedLogin } from './guarded-login.ts'

const busy: LoginAnswer = { kind: 'unavailable', why: 'busy' }
const joe: LoginAnswer = { kind: 'account', account: { id: 1, address: 'joe@a.test' } }
const question: LoginQuestion = {
  ...{ kind: 'password', mechanism: 'PLAIN', username: 'joe@a.test', authorize: '', password: 'x' },
}

/** A house that answers what it is told to: at first that there is no room for one more hash. */
async function scripted(secretOf: (username: string) => string | undefined = () => undefined) {
  const node = await scriptedNode()
  const { clock } = node.internet.host({ name: 'b.test', addresses: ['192.0.2.201'] }).world
  let answer = busy
  const asked: (Place | undefined)[] = []
  const answered: Pick<Login, 'answer'>['answer'] = (_question, _scope, place) => {
    asked.push(place)
    return answer
  }
  const accounts = { login: { answer: answered } }
  const counters = { login: () => undefined }
  const login = guardedLogin(accounts, counters, secretOf, clock)
  const guess = ({ visit }: ReturnType<typeof node.come>) => login(question, visit, 'imap')
  const answers = (next: LoginAnswer) => {
    answer = next
  }
  return { ...node, login, guess, answers, asked }
}

test('of a crowd that is told to come later each waits for the others; who comes once is told at once', async () => {
  const { come, guess, internet, answers } = await scripted()
  const guessers = Array.from({ length: 100 }, () => come('127.0.0.1'))
  for (const each of guessers) void guess(each)
  const again = guess(guessers[0] as ReturnType<typeof come>)
  assert.ok(again instanceof Promise)
  let told: LoginAnswer | undefined
  void again.then(answer => {
    told = answer
  })
  await internet.advance(499)
  assert.equal(told, undefined)
  await internet.advance(1)
  assert.deepEqual(told, busy)
  assert.deepEqual(guess(come('192.0.2.1')), busy)
  // Who is right waits for nobody, however often he was told to come later, and where everybody guesses.
  answers(joe)
  assert.deepEqual(guess(guessers[1] as ReturnType<typeof come>), joe)
})

test('a few that are told to come later hear it at once, however often', async () => {
  const { come, guess } = await scripted()
  const few = Array.from({ length: 20 }, () => come('127.0.0.1'))
  for (const each of [...few, ...few, ...few]) assert.deepEqual(guess(each), busy)
})

test('passwords and tokens stand in line, by whoever comes; what needs no line does not', async () => {
  const { come, login, asked } = await scripted()
  const { visit } = come('127.0.0.1')
  const who = { mechanism: 'X', username: 'joe@a.test', authorize: '' }
  void login(question, visit, 'imap')
  void login({ kind: 'token', ...who, token: 't' }, visit, 'imap')
  void login({ kind: 'scram', ...who, hash: 'sha256' }, visit, 'imap')
  assert.deepEqual(
    asked.map(place => place?.lane),
    ['127.0.0.1', '127.0.0.1', undefined],
  )
  assert.ok((asked[1]?.rank ?? 0) > (asked[0]?.rank ?? 0))
})

test('the secret of a customer is good for on-demand relay alone', async () => {
  const { come, login, answers } = await scripted(() => 'tanstaaf')
  const { visit } = come('127.0.0.1')
  const wanted: LoginQuestion = {
    ...{ kind: 'secret', mechanism: 'CRAM-MD5', username: 'joe@a.test', scheme: 'password' },
  }
  const own: LoginAnswer = { kind: 'secret', secrets: [] }
  answers(own)
  for (const scope of ['smtp', 'pop3', 'imap'] as const)
    assert.deepEqual(login(wanted, visit, scope), own)
  const secrets = [{ octets: Buffer.from('tanstaaf'), genuine: true }]
  assert.deepEqual(login(wanted, visit, 'odmr'), { kind: 'secret', secrets })
})
