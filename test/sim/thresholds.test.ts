/** Limits of a town with two nodes on one store: who turns from one to the other finds one limit, as if there was one node. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatNetwork } from '../../src/wire/network.ts'
import type { Host } from '../../src/world/sim/index.ts'
import { LineClient } from './line-client.ts'
import { passwordOf } from './residents.ts'
import type { MailServer } from './server.ts'
import { createTown, type Town } from './town.ts'

const ALICE = 'alice@a.test'
/** What was told is known to all by then: half a second, a write and a look. */
const LAG = '1 second'

async function twoNodes(limits: object) {
  const town = await createTown({
    seed: 'thresholds',
    servers: [{ domain: 'a.test', accounts: ['alice'], nodes: 2, config: { limits } }],
  })
  const [first, second] = town.nodes
  assert.ok(first && second)
  const guesser = town.internet.host({ name: 'guesser.test', addresses: ['203.0.113.66'] })
  return { town, nodes: [first, second] as const, guesser }
}

/** What SMTP says first; the connection stands. */
function greeting({ internet }: Town, { world }: Host, node: MailServer): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const address = node.host.addresses[0] as string
  void world.net.connect({ address, port: 25, timeoutMs: 60_000 }).then(connection =>
    connection.open({
      received: octets => resolve(Buffer.from(octets).toString()),
      ended() {},
      drained() {},
      closed: error => resolve(String(error)),
    }),
  )
  return internet.complete(promise)
}

function open({ world }: Host, node: MailServer) {
  const address = node.host.addresses[0] as string
  return LineClient.open(world, { address, port: 995, servername: node.name })
}

/** A login by POP3: what is said to it, or to the connection. */
function logIn(town: Town, host: Host, node: MailServer, password: string): Promise<string> {
  return town.internet.complete(
    (async () => {
      const client = await open(host, node).catch(() => undefined)
      if (client === undefined) return 'no connection'
      const greeting = await client.line()
      if (!greeting.startsWith('+OK')) return greeting
      client.send(`USER ${ALICE}`)
      await client.line()
      client.send(`PASS ${password}`)
      const said = await client.line().catch(() => 'closed')
      client.close()
      return said
    })(),
  )
}

test('a guesser who alternates between two nodes is banned at the threshold as if there was one', async () => {
  for (const sides of [[0], [0, 1], [0, 0, 1]]) {
    const { town, nodes, guesser } = await twoNodes({ loginFailures: 10 })
    let guesses = 0
    let said = ''
    while (guesses < 30) {
      said = await logIn(
        town,
        guesser,
        nodes[(sides[guesses % sides.length] ?? 0) as 0 | 1],
        `guess ${guesses}`,
      )
      if (!said.startsWith('-ERR [AUTH]')) break
      guesses++
      await town.advance(LAG)
    }
    // The tenth is the last that is listened to.
    assert.equal(guesses, 10, `${sides.join()}: ${said}`)
    assert.equal(said, 'no connection')
    for (const node of nodes) {
      assert.match(await greeting(town, guesser, node), /^421 4\.7\.0 /)
      assert.equal(node.house.bans.of('203.0.113.66')?.reason, 'failed logins')
    }
    const neighbour = town.internet.host({ name: 'n.test', addresses: ['203.0.113.67'] })
    assert.match(await logIn(town, neighbour, nodes[1], passwordOf(ALICE)), /^\+OK/)
    // Lifted at one, he begins anew at both.
    const [ban] = await town.internet.complete(nodes[0].house.bans.list())
    assert.equal(ban?.network, formatNetwork({ octets: v4(203, 0, 113, 66), bits: 128 }))
    await town.internet.complete(
      nodes[0].house.bans.lift({ octets: v4(203, 0, 113, 66), bits: 128 }),
    )
    await town.advance(LAG)
    assert.match(await logIn(town, guesser, nodes[1], 'a guess'), /AUTH/)
    await town.advance(LAG)
    assert.match(await logIn(town, guesser, nodes[0], passwordOf(ALICE)), /^\+OK/)
  }
})

test('connections that stand and connections in a time are counted over both, and end with a node that dies', async () => {
  const limits = { perAddress: 8, perNetwork: 100, rates: { connections: '40/min' } }
  const { town, nodes, guesser } = await twoNodes(limits)
  const greet = (node: MailServer) => greeting(town, guesser, node)
  for (let n = 0; n < 4; n++) assert.match(await greet(nodes[0]), /^220/)
  await town.advance(LAG)
  for (let n = 0; n < 4; n++) assert.match(await greet(nodes[1]), /^220/)
  await town.advance(LAG)
  for (const node of nodes) assert.match(await greet(node), /^421 4\.7\.0 .*from one address/)
  // A minute on they stand still.
  await town.advance('1 minute')
  assert.match(await greet(nodes[1]), /^421 4\.7\.0 .*from one address/)
  nodes[0].reboots = false
  nodes[0].crash()
  await town.advance('31 seconds')
  assert.match(await greet(nodes[1]), /^220/)
})

function v4(...octets: readonly number[]): Uint8Array {
  return Uint8Array.from([...Array<number>(10).fill(0), 255, 255, ...octets])
}
