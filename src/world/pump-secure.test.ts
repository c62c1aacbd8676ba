/** How the pump changes what stands under a session: TLS, another owner of the connection, compression. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection, SecureOptions } from './net.ts'
import { play, type Script } from './scripted-pump.ts'

const identity = (): SecureOptions => ({ side: 'server', identity: { current: () => ({}) } })

test('secure sends what was sent, stops reading, then tells the session of TLS', async () => {
  const { connection, say, inputs } = play(
    (sink, input) => {
      if (input !== 'receive') return
      sink.send('220 go\r\n')
      sink.secure()
    },
    {},
    { identity },
  )
  say('STARTTLS\r\n')
  assert.deepEqual(connection.writes, ['220 go\r\n'])
  assert.deepEqual(connection.calls, ['pause', 'secure'])
  await new Promise(setImmediate)
  assert.equal(inputs.at(-1), 'secured TLSv1.3')
  assert.equal(connection.calls.at(-1), 'resume')
})

test('plaintext between STARTTLS and the handshake ends the connection', async () => {
  const { connection, say, inputs, logged } = play(
    (sink, input) => {
      if (input === 'receive') sink.secure()
    },
    {},
    { identity },
  )
  connection.tlsResult = new Promise(() => {})
  say('STARTTLS\r\n')
  say('MAIL FROM:<injected@example.org>\r\n')
  assert.deepEqual(logged, ['plaintext-before-tls'])
  assert.ok(connection.calls.includes('destroy'))
  assert.equal(inputs.length, 2)
})

test('a failed handshake ends the connection with its reason', async () => {
  const reasons: (Error | undefined)[] = []
  const { connection, say, running } = play(
    (sink, input) => {
      if (input === 'receive') sink.secure()
    },
    {},
    { identity, onClosed: error => reasons.push(error) },
  )
  connection.tlsResult = Promise.reject(new Error('no shared cipher'))
  say('STARTTLS\r\n')
  await running.closed
  assert.deepEqual(
    reasons.map(reason => reason?.message),
    ['no shared cipher'],
  )
})

test('a connection is handed over once what was sent has left, and not read meanwhile', async () => {
  const given: Connection[] = []
  let gone = () => {}
  const { connection, say, inputs, running } = play(
    (sink, input) => {
      if (input !== 'receive') return
      sink.send('250 ok\r\n')
      sink.handOver()
    },
    {},
    {
      handOver: taken => {
        given.push(taken)
        return new Promise(resolve => (gone = resolve))
      },
    },
  )
  connection.takes = false
  say('TURN\r\n')
  assert.deepEqual(
    [connection.writes, connection.calls, given.length],
    [['250 ok\r\n'], ['pause'], 0],
  )
  connection.events.drained()
  assert.deepEqual(connection.calls, ['pause', 'resume', 'release'])
  assert.deepEqual(given, [connection])
  // It is another's now: what is told to the old pump means nothing.
  running.tell('shutdown')
  running.close()
  assert.equal(inputs.length, 2)
  let closed = false
  void running.closed.then(() => (closed = true))
  await new Promise(setImmediate)
  assert.equal(closed, false)
  gone()
  await running.closed
})

test('octets that come between the reply and the hand-over end the connection', () => {
  const { connection, say, logged } = play(
    (sink, input) => {
      if (input !== 'receive') return
      sink.send('250 ok\r\n')
      sink.handOver()
    },
    {},
    { handOver: () => assert.fail('nothing may cross') },
  )
  connection.takes = false
  say('TURN\r\n')
  say('MAIL FROM:<injected@example.org>\r\n')
  assert.deepEqual(logged, ['octets-before-hand-over'])
  assert.ok(connection.calls.includes('destroy'))
})

test('a connection that nobody takes is closed', () => {
  const { connection, say, logged } = play((sink, input) => {
    if (input === 'receive') sink.handOver()
  })
  say('TURN\r\n')
  assert.deepEqual(logged, ['no-hand-over'])
  assert.deepEqual(connection.calls, ['pause', 'destroy'])
})

test('compression begins once what was sent has left, and what came too soon ends the connection', () => {
  const wrapped: Connection[] = []
  const compress = (inner: Connection) => {
    wrapped.push(inner)
    return inner
  }
  const script: Script = (sink, input) => {
    if (input !== 'receive') return
    sink.send('a OK\r\n')
    sink.compress()
  }
  const { connection, say } = play(script, {}, { compress })
  say('a COMPRESS DEFLATE\r\n')
  assert.deepEqual([connection.writes, connection.calls], [['a OK\r\n'], ['release']])
  assert.deepEqual(wrapped, [connection])
  const slow = play(script, {}, { compress })
  slow.connection.takes = false
  slow.say('a COMPRESS DEFLATE\r\n')
  assert.deepEqual(slow.connection.calls, [])
  slow.say('b NOOP\r\n')
  assert.deepEqual(slow.logged, ['octets-before-compression'])
  const none = play(script)
  none.say('a COMPRESS DEFLATE\r\n')
  assert.deepEqual(none.logged, ['compression-failed'])
})
