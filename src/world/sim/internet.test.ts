/** The simulated internet: one seed is one run, and every fault does what it says. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sleep } from '../clock.ts'
import { DiskFull } from '../disk.ts'
import type { Connection } from '../net.ts'
import { createWorld, type Host, type Internet } from './index.ts'

const SERVER = { name: 'mx.test', addresses: ['192.0.2.1', '2001:db8::1'] }
const CLIENT = { name: 'client.test', addresses: ['192.0.2.2', '2001:db8::2'] }

/** Notes what a connection says; answers each octet group with `reply` if there is one. */
function note(connection: Connection, said: string[], who: string, reply?: string): void {
  connection.open({
    received(octets) {
      said.push(`${who} ${Buffer.from(octets).toString()}`)
      if (reply !== undefined) connection.write(reply)
    },
    ended: () => {
      said.push(`${who} ended`)
      connection.end()
    },
    drained: () => said.push(`${who} drained`),
    closed: error => said.push(`${who} closed${error ? ' badly' : ''}`),
  })
}

async function connected(internet: Internet, server: Host, client: Host, said: string[]) {
  await server.world.net.listen({ kind: 'tcp', address: '0.0.0.0', port: 25 }, connection =>
    note(connection, said, 'server', '250 ok'),
  )
  const connection = await internet.complete(
    client.world.net.connect({ address: '192.0.2.1', port: 25, timeoutMs: 30_000 }),
  )
  note(connection, said, 'client')
  return connection
}

async function busyDay(seed: number): Promise<string[]> {
  const trace: string[] = []
  const internet = createWorld({ seed, trace: line => trace.push(line) })
  internet.network.faults.resetsPerMillion = 50_000
  const server = internet.host(SERVER)
  const client = internet.host(CLIENT)
  for (let i = 0; i < 5; i++) {
    const said: string[] = []
    const connection = await connected(internet, server, client, said)
    for (let line = 0; line < 10; line++) {
      connection.write(`line ${line} of a dialogue`)
      await internet.complete(sleep(client.world.clock, client.world.random.below(100)))
    }
    await internet.complete(client.world.dns.mx('mx.test'))
    server.crash()
    server.restart()
    trace.push(...said)
  }
  return trace
}

test('the same seed gives the same run, another seed another', async () => {
  const first = await busyDay(7)
  assert.ok(first.length > 200)
  assert.deepEqual(await busyDay(7), first)
  assert.notDeepEqual(await busyDay(8), first)
})

test('four days pass in no time, and timers ring in order', async () => {
  const internet = createWorld({ seed: 1 })
  const { clock } = internet.host(SERVER).world
  const rang: number[] = []
  const start = clock.now()
  for (const delay of [3, 1, 2, 1]) {
    clock.after(delay * 86_400_000, () => rang.push((clock.now() - start) / 86_400_000))
  }
  const cancelled = clock.after(1000, () => rang.push(-1))
  cancelled.cancel()
  await internet.advance('4 days')
  assert.deepEqual(rang, [1, 1, 2, 3])
  assert.equal(clock.now() - start, 4 * 86_400_000)
})

test('after a crash nothing of the old life runs, and peers meet resets', async () => {
  const internet = createWorld({ seed: 3 })
  const server = internet.host(SERVER)
  const client = internet.host(CLIENT)
  const said: string[] = []
  const connection = await connected(internet, server, client, said)
  const old = server.world
  let ranAfter = false
  old.clock.after(10, () => {
    ranAfter = true
  })
  void old.dns.mx('mx.test').then(() => {
    ranAfter = true
  })
  server.crash()
  const fresh = server.restart()
  connection.write('MAIL')
  await internet.advance('1 minute')
  old.log.info('from the grave')
  assert.equal(ranAfter, false)
  assert.deepEqual(said, ['client closed badly'])
  assert.deepEqual(internet.log, [])
  assert.notEqual(fresh, old)
})

test('a host that is silently down times a connection out, one that refuses refuses', async () => {
  const internet = createWorld({ seed: 3 })
  const server = internet.host(SERVER)
  const client = internet.host(CLIENT)
  const dial = (address: string) =>
    internet.complete(client.world.net.connect({ address, port: 25, timeoutMs: 30_000 }))
  await assert.rejects(dial('192.0.2.1'), { code: 'ECONNREFUSED' })
  await assert.rejects(dial('192.0.2.99'), { code: 'EHOSTUNREACH' })
  server.crash('silence')
  const before = internet.now
  await assert.rejects(dial('2001:db8::1'), { code: 'ETIMEDOUT' })
  assert.ok(internet.now - before >= 30_000)
})

test('a reply can be lost at a chosen phase', async () => {
  const internet = createWorld({ seed: 3 })
  internet.network.faults.cut = 'whole'
  const server = internet.host(SERVER)
  const client = internet.host(CLIENT)
  internet.network.faults.fate = ({ octets, fromClient }) =>
    !fromClient && Buffer.from(octets).toString().startsWith('250') ? 'reset' : 'deliver'
  const said: string[] = []
  const connection = await connected(internet, server, client, said)
  connection.write('DATA')
  await internet.settle()
  assert.deepEqual(said, ['server DATA', 'server closed badly', 'client closed badly'])
})

test('what is sent into a partition arrives when it heals', async () => {
  const internet = createWorld({ seed: 3 })
  internet.network.faults.cut = 'whole'
  const server = internet.host(SERVER)
  const client = internet.host(CLIENT)
  const said: string[] = []
  const connection = await connected(internet, server, client, said)
  internet.network.part('mx.test', 'client.test')
  connection.write('one')
  connection.write('two')
  await internet.advance('1 hour')
  assert.deepEqual(said, [])
  internet.network.heal('mx.test', 'client.test')
  await internet.settle()
  assert.deepEqual(said.slice(0, 2), ['server one', 'server two'])
})

test('names: MX, aliases, the null MX, and failures on demand', async () => {
  const internet = createWorld({ seed: 3 })
  const { dns } = internet.host(SERVER).world
  internet.zones.set('example.org', { mx: [[10, 'MX.test.']] })
  internet.zones.set('null.test', { mx: [[0, '.']] })
  internet.zones.set('www.example.org', { cname: 'mx.test' })
  internet.zones.set('loop.test', { cname: 'loop.test' })
  internet.zones.fail('bad.test', 'SERVFAIL')
  internet.zones.fail('slow.test', 'timeout')
  for (const [answer, expected] of [
    [dns.mx('Example.org'), { kind: 'found', records: [{ preference: 10, exchange: 'mx.test' }] }],
    [dns.mx('null.test'), { kind: 'found', records: [{ preference: 0, exchange: '' }] }],
    [dns.ipv4('www.example.org'), { kind: 'found', records: ['192.0.2.1'] }],
    [dns.names('192.0.2.1'), { kind: 'found', records: ['mx.test'] }],
    [dns.txt('mx.test'), { kind: 'empty' }],
    [dns.ipv4('org'), { kind: 'empty' }],
    [dns.ipv4('nowhere.test'), { kind: 'missing' }],
    [dns.ipv4('loop.test'), { kind: 'failed', reason: 'ESERVFAIL' }],
    [dns.mx('bad.test'), { kind: 'failed', reason: 'ESERVFAIL' }],
    [dns.mx('slow.test'), { kind: 'failed', reason: 'ETIMEOUT' }],
  ] as const) {
    assert.deepEqual(await internet.complete<unknown>(answer), expected)
  }
})

test('a disk keeps what was sealed through a crash, and fills up', async () => {
  const internet = createWorld({ seed: 5 })
  const host = internet.host(SERVER)
  const read = async (name: string) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of host.world.disk.read(name, 0, 4)) chunks.push(chunk)
    return Buffer.concat(chunks).toString()
  }
  const stage = async (seal: boolean) => {
    const body = await host.world.disk.stage()
    await Promise.all([body.write(Buffer.from('ab')), body.write(Buffer.from('cd'))])
    if (seal) await body.seal()
    return body.name
  }
  const kept = await internet.complete(stage(true))
  for (let i = 0; i < 20; i++) await internet.complete(stage(false))
  host.crash()
  host.restart()
  assert.ok(host.disk.names.length < 21, 'some that were not sealed are gone')
  assert.equal(await internet.complete(read(kept)), 'abcd')
  host.disk.tear(kept, 2)
  await assert.rejects(internet.complete(read(kept)), /ends before/)
  host.disk.lose(kept)
  await assert.rejects(internet.complete(read(kept)), { code: 'ENOENT' })
  host.disk.capacityOctets = 0
  await assert.rejects(internet.complete(stage(true)), DiskFull)
})

test('time stands still while real work is under way', async () => {
  const internet = createWorld({ seed: 5 })
  const { clock } = internet.host(SERVER).world
  const order: string[] = []
  const realWork = new Promise<void>(resolve => setTimeout(resolve, 20))
  void internet.hold(realWork).then(() => order.push('work'))
  clock.after(1, () => order.push('timer'))
  await internet.advance(10)
  assert.deepEqual(order, ['work', 'timer'])
})
