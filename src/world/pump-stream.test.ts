/** What the pump streams for a session: pulled as the connection drains, never ahead of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Lent } from '../wire/effect.ts'
import { play } from './scripted-pump.ts'

test('a stream is pulled only as fast as the connection drains, and later sends wait behind it', async () => {
  let pulled = 0
  async function* source() {
    for (let i = 0; i < 4; i++) {
      pulled += 1
      yield Buffer.alloc(20_000, 97 + i)
    }
  }
  const { connection, inputs, say } = play((sink, input) => {
    if (input !== 'receive') return
    sink.send('+OK\r\n')
    sink.stream(source())
    sink.send('.\r\n')
  })
  connection.takes = false
  say('RETR 1\r\n')
  for (let writes = 1; writes <= 4; writes++) {
    await new Promise(setImmediate)
    assert.equal(connection.writes.length, writes)
    assert.equal(pulled, writes, 'nothing is pulled ahead of the reader')
    assert.ok(!inputs.includes('drained'))
    connection.events.drained()
  }
  await new Promise(setImmediate)
  assert.equal(
    connection.writes.join(''),
    `+OK\r\n${['a', 'b', 'c', 'd'].map(c => c.repeat(20_000)).join('')}.\r\n`,
  )
  connection.events.drained()
  assert.equal(inputs.at(-1), 'drained')
})

test('a short stream leaves in one write with what stands around it, through its transform', async () => {
  async function* source() {
    yield Buffer.from('body')
  }
  const { connection, say } = play((sink, input) => {
    if (input !== 'receive') return
    sink.send('+OK\r\n')
    sink.stream(source(), {
      push: octets => Buffer.from(Buffer.from(octets).toString().toUpperCase()),
      end: () => Buffer.from('\r\n'),
    })
    sink.send('.\r\n')
  })
  say('RETR 1\r\n')
  await new Promise(setImmediate)
  assert.deepEqual(connection.writes, ['+OK\r\nBODY\r\n.\r\n'])
})

test('a source that fails ends its connection and says so', async () => {
  async function* source(): AsyncIterable<Uint8Array> {
    throw new Error('disk')
  }
  const { connection, logged, running } = play((sink, input) => {
    if (input === 'start') sink.stream(source())
  })
  await running.closed
  assert.deepEqual(connection.calls, ['destroy'])
  assert.deepEqual(logged, ['source-failed'])
})

test('ten thousand slices sent from drained do not grow the stack', () => {
  let left = 10_000
  const { connection, say } = play((sink, input) => {
    if (input === 'receive' || (input === 'drained' && left-- > 0)) sink.send('x')
  })
  say('FETCH')
  assert.equal(connection.writes.length, 10_001)
})

/** Octets that are lent, and how often they are out. */
function lending(...pieces: readonly string[]) {
  return {
    out: 0,
    take() {
      this.out += 1
      return pieces.map(piece => Buffer.from(piece))
    },
    giveBack() {
      this.out -= 1
    },
  } satisfies Lent & { out: number }
}

const ended = { push: (octets: Uint8Array) => octets, end: () => Buffer.from('.\r\n') }

test('octets that are lent leave in slices, the last with what follows it, and are given back once nobody looks at them', () => {
  const lent = lending('head\r\n', 'x'.repeat(100_000))
  const { connection, say } = play((sink, input) => {
    if (input !== 'receive') return
    sink.stream(lent, ended)
    sink.send('MAIL\r\n')
  })
  connection.takes = false
  say('354')
  assert.deepEqual(connection.writes, [`head\r\n${'x'.repeat(65_536)}`])
  assert.equal(lent.out, 1)
  connection.events.drained()
  assert.equal(connection.writes[1], `${'x'.repeat(100_000 - 65_536)}.\r\nMAIL\r\n`)
  assert.deepEqual([lent.out, connection.lefts.length], [1, 1])
  connection.lefts[0]?.()
  assert.equal(lent.out, 0)
})

test('little that is lent leaves at once with all else', () => {
  const lent = lending('x'.repeat(20_000))
  const { connection, say } = play((sink, input) => {
    if (input !== 'receive') return
    sink.send('a')
    sink.stream(lent, ended)
    sink.send('MAIL\r\n')
  })
  say('354')
  assert.deepEqual(connection.writes, [`a${'x'.repeat(20_000)}.\r\nMAIL\r\n`])
  for (const left of connection.lefts) left()
  assert.equal(lent.out, 0)
})

test('of what was lent nothing is given back where the connection ends first: the system may still look at it', async () => {
  const lent = lending('x'.repeat(200_000))
  const { connection, running, say } = play((sink, input) => {
    if (input === 'receive') sink.stream(lent, ended)
  })
  connection.takes = false
  say('354')
  connection.events.closed()
  await running.closed
  assert.equal(lent.out, 1)
})

test('what is no longer lent ends the connection', async () => {
  const over = {
    take: () => {
      throw new Error('over')
    },
    giveBack: () => {},
  }
  const { connection, logged, running } = play((sink, input) => {
    if (input === 'start') sink.stream(over)
  })
  await running.closed
  assert.deepEqual(connection.calls, ['destroy'])
  assert.deepEqual(logged, ['source-failed'])
})
