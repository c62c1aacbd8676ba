/** Single mishaps that a storm meets too seldom, each with exactly what must come of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, toldOf } from './oracle.ts'
import { createTown, type Town } from './town.ts'

function twoServers(): Promise<Town> {
  return createTown({
    seed: 'mishap',
    servers: [
      { domain: 'a.test', accounts: ['alice'] },
      { domain: 'b.test', accounts: ['bob'] },
    ],
  })
}

async function countOf(town: Town, address: string): Promise<number> {
  return (await town.internet.complete(town.user(address).read())).length
}

test('an outcome that the store cannot take for a while is stored later, and nothing is sent twice', async () => {
  const town = await twoServers()
  const ours = town.server('a.test')
  // The first commit accepts, the second one would record that the message was relayed.
  ours.faultAt = commit =>
    commit >= 2 && commit <= 12 ? { at: 'before commit', how: 'full' } : undefined
  await town.send({ from: 'alice@a.test', to: ['bob@b.test'] })
  await town.advance('2 hours')
  assert.ok(ours.failures.length > 5)
  assert.equal(await countOf(town, 'bob@b.test'), 1)
  assert.deepEqual(await judge(town), [])
})

test('a wall clock that jumps does not make us carry what is in our hands', async () => {
  const town = await twoServers()
  const ours = town.server('a.test')
  town.internet.network.faults.latencyMs = [2_000, 2_000]
  await town.send({ from: 'alice@a.test', to: ['bob@b.test'] })
  assert.equal(town.server('b.test').commits, 0)
  ours.host.jumpClock(10 * 60_000)
  ours.house.worker.wake()
  await town.advance('1 hour')
  assert.equal(await countOf(town, 'bob@b.test'), 1)
  assert.deepEqual(await judge(town), [])
})

test('who is told that a server goes and does not hang up holds it for a moment only', async () => {
  const town = await twoServers()
  const ours = town.server('a.test')
  const { clock, net } = town.server('b.test').house.world
  const where = { address: ours.host.addresses[0] ?? '', port: 25, timeoutMs: 10_000 }
  const peer = await town.internet.complete(net.connect(where))
  let said = ''
  peer.open({
    received(octets) {
      said += Buffer.from(octets).toString()
    },
    ended() {},
    drained() {},
    closed() {},
  })
  await town.advance('10 seconds')
  const before = clock.monotonic()
  await town.internet.complete(ours.stop())
  assert.match(said, /^220 [^\n]*\n421 4\.3\.2 [^\n]*\n$/)
  assert.ok(clock.monotonic() - before < 5_000, `${clock.monotonic() - before}`)
})

test('a letter whose staged body is torn is given up, and its sender is told all the same', async () => {
  const town = await twoServers()
  const [ours, theirs] = [town.server('a.test'), town.server('b.test')]
  town.internet.network.part(ours.name, theirs.name)
  const body = `${'x'.repeat(70)}\r\n`.repeat(3_000)
  await town.send({ from: 'alice@a.test', to: ['bob@b.test'], body })
  const [staged] = ours.host.disk.names
  assert.ok(staged)
  ours.host.disk.tear(staged, 1_000)
  town.internet.network.heal(ours.name, theirs.name)
  await town.advance('6 days')
  assert.equal(await countOf(town, 'bob@b.test'), 0)
  const notices = await town.internet.complete(town.user('alice@a.test').read())
  const told = notices.flatMap(({ octets }) => toldOf(Buffer.from(octets).toString(), 'failed'))
  assert.deepEqual(told, ['bob@b.test'])
  assert.deepEqual(ours.host.disk.names, [])
})

test('a receiver that stops in the middle of a large letter goes on with it, and there is one copy', async () => {
  const town = await createTown({
    seed: 'checkpoint',
    servers: [
      { domain: 'a.test', accounts: ['alice'] },
      {
        domain: 'b.test',
        accounts: ['bob'],
        config: { listeners: { smtp: { with: ['CHECKPOINT'] } } },
      },
    ],
  })
  const theirs = town.server('b.test')
  const line = `.${'x'.repeat(69)}\r\n`
  const body = line.repeat(30_000)
  await town.send({ from: 'alice@a.test', to: ['bob@b.test'], body })
  // A piece is kept, and the machine stops while the next one comes.
  let commits = 0
  theirs.faultAt = commit =>
    ++commits === 1 && commit > 0 ? { at: 'after commit', how: 'crash' } : undefined
  await town.advance('2 hours')
  assert.equal(theirs.crashes.length, 1)
  const letters = await town.internet.complete(town.user('bob@b.test').read())
  assert.equal(letters.length, 1)
  assert.ok(
    Buffer.from(letters[0]?.octets ?? [])
      .toString()
      .trimEnd()
      .endsWith(body.trimEnd()),
  )
  // What the crash tore goes with the next sweep.
  await town.advance('2 days')
  assert.equal(theirs.host.disk.names.length, 1, 'the pieces are gone')
  assert.deepEqual(await judge(town), [])
})

test('a name that two nodes hear at once, each for another recipient, stands for the first one alone', async () => {
  const town = await createTown({
    seed: 'one name',
    servers: [
      {
        domain: 'b.test',
        accounts: ['bob', 'carol'],
        nodes: 2,
        config: { listeners: { smtp: { with: ['CHECKPOINT'] } } },
      },
    ],
  })
  const relay = town.internet.host({ name: 'relay.test', addresses: ['198.51.100.9'] })
  const begin = async (address: string, to: string) => {
    const { net } = relay.world
    const line = await town.internet.complete(net.connect({ address, port: 25, timeoutMs: 1000 }))
    let heard = ''
    line.open({
      received: octets => (heard += Buffer.from(octets).toString()),
      ended() {},
      drained() {},
      closed() {},
    })
    const say = async (text: string) => {
      heard = ''
      line.write(text)
      await town.advance('1s')
      return heard.trimEnd().split('\r\n').at(-1) ?? ''
    }
    await say('EHLO relay.test\r\n')
    await say(`MAIL FROM:<x@relay.test> TRANSID=<1@relay.test>\r\nRCPT TO:<${to}>\r\nDATA\r\n`)
    return say
  }
  const first = await begin('192.0.2.1', 'bob@b.test')
  const second = await begin('192.0.2.101', 'carol@b.test')
  const letter = 'From: x@relay.test\r\n\r\nhello\r\n.\r\n'
  assert.match(await first(letter), /^250 .*queued as/)
  assert.match(await second(letter), /^451 /)
  assert.equal(await countOf(town, 'bob@b.test'), 1)
  assert.equal(await countOf(town, 'carol@b.test'), 0)
})
