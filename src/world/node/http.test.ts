/** The small HTTP server: what it answers, and what it does not read. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Answering, jsonAnswer } from '../http.ts'
import type { Listening } from '../net.ts'
import { listenHttp } from './http.ts'

const face: Answering = async ({ method, path, body }) => {
  if (path === '/throws') throw new Error('a bug')
  return path === '/echo' ? jsonAnswer({ method, body }, 201) : undefined
}

let listening: Listening
let root: string
before(async () => {
  listening = await listenHttp({ kind: 'tcp', address: '127.0.0.1', port: 0 }, face, 10)
  root = `http://127.0.0.1:${listening.local.port}`
})
after(() => listening.close())

test('a question comes whole and without what stands behind ?', async () => {
  const answer = await fetch(`${root}/echo?page=2`, { method: 'POST', body: 'ten octets' })
  assert.equal(answer.status, 201)
  assert.equal(answer.headers.get('content-type'), 'application/json')
  assert.deepEqual(await answer.json(), { method: 'POST', body: 'ten octets' })
})

test('HEAD has no body and its length', async () => {
  const answer = await fetch(`${root}/echo`, { method: 'HEAD' })
  assert.equal(answer.headers.get('content-length'), '27')
  assert.equal(await answer.text(), '')
})

test('what is not there is 404, a fault is 500 and the server goes on', async () => {
  assert.equal((await fetch(`${root}/`)).status, 404)
  assert.equal((await fetch(`${root}/throws`)).status, 500)
  assert.equal((await fetch(`${root}/echo`)).status, 201)
})

test('a body that is too long ends its connection and no other', async () => {
  await assert.rejects(fetch(`${root}/echo`, { method: 'POST', body: 'eleven octs' }))
  assert.equal((await fetch(`${root}/echo`)).status, 201)
})
