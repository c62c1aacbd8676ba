/** The pump against a scripted connection: every rule of the contract, without a network. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { play } from './scripted-pump.ts'

test('all that is sent during one input leaves in one write, text and octets joined', () => {
  const { connection, say } = play((sink, input) => {
    if (input !== 'receive') return
    sink.send('250-a\r\n')
    sink.send('250-b\r\n')
    sink.send(Buffer.from('250 c\r\n'))
  })
  say('EHLO x\r\n')
  assert.deepEqual(connection.writes, ['250-a\r\n250-b\r\n250 c\r\n'])
})

test('an answer known at once is returned by ask, one that comes later through answer', async () => {
  const answers: (string | undefined)[] = []
  const { inputs, say } = play(
    (sink, input, text) => {
      if (input === 'receive') answers.push(sink.ask(text))
    },
    { ask: question => (question === 'now' ? 'yes' : Promise.resolve('in a while')) },
  )
  say('now')
  say('then')
  await Promise.resolve()
  assert.deepEqual(answers, ['yes', undefined])
  assert.deepEqual(inputs.slice(-1), ['answer in a while'])
})

for (const [how, ask] of [
  [
    'throws',
    () => {
      throw new Error('bug')
    },
  ],
  ['rejects', () => Promise.reject(new Error('bug'))],
] as const) {
  test(`a role that ${how} is answered by failed, and logged`, async () => {
    const answers: string[] = []
    const { inputs, say, logged, connection } = play(
      (sink, input, text) => {
        if (input === 'receive') answers.push(sink.ask(text) ?? '-')
      },
      { ask },
    )
    say('question')
    await new Promise(setImmediate)
    assert.ok(answers.includes('later') || inputs.includes('answer later'))
    assert.deepEqual(logged, ['role-failed'])
    assert.ok(!connection.calls.includes('destroy'))
  })
}

test('an answer that comes after the connection has closed is dropped', async () => {
  let give = (_answer: string) => {}
  let closed = 0
  const { inputs, say, connection } = play(
    (sink, input, text) => {
      if (input === 'receive') sink.ask(text)
    },
    {
      ask: () => new Promise<string>(resolve => (give = resolve)),
      closed: () => {
        closed += 1
      },
    },
  )
  say('question')
  connection.events.closed()
  connection.events.closed()
  give('too late')
  await new Promise(setImmediate)
  assert.deepEqual(inputs, ['start', 'receive question'])
  assert.equal(closed, 1)
})

test('a session that throws ends its own connection and is not entered again', async () => {
  const broken = play((_sink, input) => {
    if (input === 'receive') throw new Error('bug')
  })
  const other = play(() => {})
  broken.say('x')
  broken.say('y')
  other.say('x')
  await broken.running.closed
  assert.deepEqual(broken.logged, ['session-threw'])
  assert.deepEqual(broken.inputs, ['start', 'receive x'])
  assert.deepEqual(other.connection.calls, [])
})

test('close lets what was sent leave, ends, and destroys a peer that does not close', async () => {
  const { connection, say, advance } = play((sink, input) => {
    if (input !== 'receive') return
    sink.send('221 bye\r\n')
    sink.close()
    sink.send('never')
  })
  say('QUIT\r\n')
  say('NOOP\r\n')
  assert.deepEqual(connection.writes, ['221 bye\r\n'])
  assert.deepEqual(connection.calls, ['end'])
  await advance(9_000)
  assert.deepEqual(connection.calls, ['end'])
  await advance(2_000)
  assert.deepEqual(connection.calls, ['end', 'destroy'])
})

test('who floods a connection that is over is not listened to for as long as it lingers', () => {
  const { connection, say } = play((sink, input) => {
    if (input === 'receive') sink.close()
  })
  say('QUIT')
  const much = 'x'.repeat(65_536)
  for (let sent = 0; sent < 64; sent++) say(much)
  assert.deepEqual(connection.calls, ['end'])
  say(much)
  assert.deepEqual(connection.calls, ['end', 'destroy'])
})

test('the role hears of the end once, when all is said, however long the peer stays', async () => {
  let told = 0
  const { connection, say } = play(
    (sink, input) => {
      if (input === 'receive') sink.close()
    },
    {
      closed: () => {
        told++
      },
    },
  )
  assert.equal(told, 0)
  say('quit')
  assert.deepEqual(connection.calls, ['end'])
  assert.equal(told, 1)
  connection.events.closed()
  assert.equal(told, 1)
})

test('reading stops while content is being taken, and goes on after', async () => {
  let taken = () => {}
  const { connection, say } = play(
    (sink, input) => {
      if (input === 'receive') sink.content(Buffer.from('x'), 0, 1)
    },
    { content: () => new Promise<void>(resolve => (taken = resolve)) },
  )
  say('x')
  assert.deepEqual(connection.calls, ['pause'])
  taken()
  await new Promise(setImmediate)
  assert.deepEqual(connection.calls, ['pause', 'resume'])
})

test('content that is lost ends the connection, so that nothing is acknowledged', async () => {
  const { connection, say, logged, running } = play(
    (sink, input) => {
      if (input === 'receive') sink.content(Buffer.from('x'), 0, 1)
    },
    { content: () => Promise.reject(new Error('disk')) },
  )
  say('x')
  await running.closed
  assert.deepEqual(logged, ['content-failed'])
  assert.ok(connection.calls.includes('destroy'))
})

test('reading stops while a question is open and the backlog is long', async () => {
  let give = (_answer: string) => {}
  const { connection, say, state } = play(
    (sink, input, text) => {
      if (input === 'receive') sink.ask(text)
    },
    { ask: () => new Promise<string>(resolve => (give = resolve)) },
  )
  state.backlogOctets = 65_537
  say('question')
  assert.deepEqual(connection.calls, ['pause'])
  state.backlogOctets = 0
  give('yes')
  await new Promise(setImmediate)
  assert.deepEqual(connection.calls, ['pause', 'resume'])
})

test('reading stops when the peer asks for more than it reads', () => {
  const { connection, say } = play((sink, input) => {
    if (input === 'receive') sink.send('x'.repeat(40_000))
  })
  connection.takes = false
  for (let i = 0; i < 3; i++) say('NOOP\r\n')
  assert.equal(connection.writes.length, 1)
  assert.deepEqual(connection.calls, ['pause'])
  connection.takes = true
  connection.events.drained()
  assert.deepEqual(connection.calls, ['pause', 'resume'])
})

test('the deadline starts anew with each step, not with each octet', async () => {
  const { inputs, state, say, advance } = play((sink, input) => {
    if (input === 'expire') sink.close()
  })
  state.patienceMs = 60_000
  say('a')
  await advance(50_000)
  state.step += 1
  say('b')
  await advance(50_000)
  assert.ok(!inputs.includes('expire'))
  say('c')
  await advance(11_000)
  assert.equal(inputs.at(-1), 'expire')
})

test('a reader that takes nothing for five minutes is cut off', async () => {
  const { connection, say, advance, logged } = play((sink, input) => {
    if (input === 'receive') sink.send('x')
  })
  connection.takes = false
  say('a')
  await advance(299_000)
  assert.ok(!connection.calls.includes('destroy'))
  await advance(2_000)
  assert.deepEqual(connection.calls, ['destroy'])
  assert.deepEqual(logged, ['peer-stalled'])
})

test('an event that a role tells while it is asked waits until the session has returned', () => {
  const told: { now: () => void } = { now: () => {} }
  const { inputs, say, running } = play(
    (sink, input, text) => {
      if (input === 'receive') inputs.push(`returned ${sink.ask(text)}`)
    },
    {
      ask: () => {
        told.now()
        return 'yes'
      },
    },
  )
  told.now = () => running.tell('shutdown')
  say('question')
  assert.deepEqual(inputs, ['start', 'receive question', 'returned yes', 'tell shutdown'])
})

test('after the end of the peer the connection closes once the open question is answered', async () => {
  const { connection, say } = play(
    (sink, input, text) => {
      if (input === 'receive') sink.ask(text)
      if (input === 'answer') sink.send('250 kept\r\n')
    },
    { ask: () => Promise.resolve('yes') },
  )
  say('.\r\n')
  connection.events.ended()
  assert.deepEqual(connection.calls, [])
  await new Promise(setImmediate)
  assert.deepEqual(connection.writes, ['250 kept\r\n'])
  assert.deepEqual(connection.calls, ['end'])
})
