/** Loads that wait begin in one group with the end of the one before (RFC 2920 §3.1), and what becomes of each. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load, short, town } from '../../test/kit/smtp-town.ts'
import type { Route } from '../route/route.ts'
import type { Script } from './fake-server.ts'

const route: Route = { kind: 'mx', domain: 'x.test' }

/** Five loads for one connection of a host; the third is the first that may begin in a group. */
async function five(script: Script, settings: Parameters<typeof town>[1] = {}) {
  const at = await town([script], { connectionsPerRoute: 1, ...settings })
  const again = () => Array.from({ length: 5 }, () => at.transport.carry(load(['b@x.test']), route))
  const run = async () => (await at.internet.complete(Promise.all(again()))).map(short)
  const [server] = at.servers
  assert.ok(server)
  return { server, run, first: await run() }
}

const taken = 'delivered 2.0.0 mx0.test'
const all = [taken, taken, taken, taken, taken]

test('each but the first two begins behind the one before', async () => {
  const { server, first } = await five({})
  assert.deepEqual(first, all)
  assert.equal(server.grouped, 3)
  assert.equal(server.connections, 1)
  assert.equal(server.messages.length, 5)
})

test('a host that hangs up at the end of a message leaves doubt of that one alone, and hears no more groups', async () => {
  const { server, run, first } = await five({
    replies: { '.': (_, nth) => (nth === 3 ? '' : '250 ok') },
  })
  const doubt = 'deferred 4.4.2 in doubt mx0.test'
  assert.deepEqual(first, [taken, taken, doubt, taken, taken])
  assert.equal(server.messages.length, 5)
  const { grouped } = server
  await run()
  assert.equal(server.grouped, grouped)
})

test('421 at the end of a message says nothing of the one behind it', async () => {
  const { server, first } = await five({
    replies: { '.': (_, nth) => (nth === 3 ? '421 4.3.2 bye' : '250 ok') },
  })
  assert.deepEqual(first, [taken, taken, 'deferred 4.3.2 mx0.test', taken, taken])
  assert.equal(server.messages.length, 5)
})

test('what a host throws away behind the end of a message goes by another connection, in no group', async () => {
  const { server, run, first } = await five({ flushesBehind: true })
  assert.deepEqual(first, all)
  assert.equal(server.messages.length, 5)
  const { grouped } = server
  assert.deepEqual(await run(), all)
  assert.equal(server.grouped, grouped)
  assert.equal(server.messages.length, 10)
})

test('no more begin than one connection is to carry', async () => {
  const { server, first } = await five({}, { messagesPerConnection: 3 })
  assert.deepEqual(first, all)
  assert.equal(server.grouped, 1)
  assert.equal(server.connections, 2)
})

test('a host that does not pipeline hears one after the other', async () => {
  const { server, first } = await five({ extensions: ['SIZE 0'] })
  assert.deepEqual(first, all)
  assert.equal(server.grouped, 0)
})

test('a refusal is of the message it answers', async () => {
  const { server, first } = await five({
    replies: {
      '.': (_, nth) => (nth === 3 ? '550 5.7.1 no' : '250 2.0.0 ok'),
      MAIL: (_, nth) => (nth === 4 ? '451 4.7.0 later' : '250 ok'),
      RCPT: () => '250 ok',
    },
  })
  assert.deepEqual(first, [taken, taken, 'failed 5.7.1 mx0.test', 'deferred 4.7.0 mx0.test', taken])
  // DATA for nobody was answered by 354, and got a lone dot.
  assert.equal(server.messages.filter(text => text === '').length, 1)
})
