/** Whom the pump makes wait: peers that do wrong, and those whose input is dear. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from './log.ts'
import { pump } from './pump.ts'
import { play, Scripted } from './scripted-pump.ts'

test('what a peer does wrong makes it wait: nothing leaves and nothing is read meanwhile', async () => {
  const waits = [0, 5000, 1000]
  const { connection, inputs, say, advance, running } = play(
    (sink, input, text) => {
      if (input !== 'receive') return
      sink.note?.('mistake')
      sink.send(`no ${text}\r\n`)
    },
    { noted: () => waits.shift() ?? 0 },
  )
  say('a')
  assert.deepEqual(connection.writes, ['no a\r\n'])
  say('b')
  say('c')
  running.tell('news')
  assert.deepEqual(connection.writes, ['no a\r\n'])
  assert.deepEqual(connection.calls, ['pause'])
  await advance(4999)
  assert.deepEqual(connection.writes, ['no a\r\n'])
  await advance(1)
  // What was gathered meanwhile waits for its own part.
  assert.deepEqual(connection.writes, ['no a\r\n'])
  await advance(1000)
  assert.deepEqual(connection.writes, ['no a\r\n', 'no b\r\nno c\r\n'])
  assert.deepEqual(connection.calls, ['pause', 'resume'])
  assert.deepEqual(inputs.slice(-2), ['tell news', 'drained'])
})

test('a peer that goes while it waits leaves no timer behind, and one that is closed on hears it late', async () => {
  const gone = play(sink => sink.note?.('mistake'), { noted: () => 1000 })
  gone.connection.events.closed()
  await gone.running.closed
  await gone.advance(5000)
  const late = play(
    (sink, input) => {
      if (input !== 'receive') return
      sink.note?.('mistake')
      sink.send('bye\r\n')
      sink.close()
    },
    { noted: () => 1000 },
  )
  late.say('x')
  assert.deepEqual(late.connection.writes, [])
  await late.advance(1000)
  assert.deepEqual(late.connection.writes, ['bye\r\n'])
  assert.ok(late.connection.calls.includes('end'))
})

test('octets of a dear peer come in pieces, in their order, and his end behind them', async () => {
  let now = 0
  const timers: (() => void)[] = []
  const clock = {
    now: () => now,
    monotonic: () => now,
    after: (delayMs: number, run: () => void) => {
      // Rests are short; what waits for the peer's end is not played.
      if (delayMs < 5000) timers.push(run)
      return { cancel: () => {} }
    },
  }
  let heard = ''
  let pieces = 0
  let ended = 0
  const connection = new Scripted()
  const quiet = {
    answer: () => {},
    secured: () => {},
    drained: () => {},
    tell: () => {},
    expire: () => {},
  }
  pump<string, string>({
    connection,
    clock,
    log: silent,
    role: { ask: () => '', failed: () => '' },
    session: () => ({
      ...quiet,
      start: () => {},
      end: () => {
        ended += 1
      },
      receive: octets => {
        assert.equal(ended, 0)
        heard += Buffer.from(octets).toString()
        pieces += 1
        now += octets.length / 1000
      },
      patienceMs: 0,
      step: 0,
      backlogOctets: 0,
    }),
  })
  const text = Array.from({ length: 6000 }, (_, n) => `${n} `).join('')
  connection.events.received(Buffer.from(text))
  assert.equal(connection.calls.at(-1), 'pause', 'he rests')
  const lent = Buffer.from(text)
  connection.events.received(lent)
  lent.fill(0)
  connection.events.ended()
  for (let run = timers.shift(); run !== undefined; run = timers.shift()) run()
  assert.equal(heard, text + text)
  assert.ok(pieces > 10 && ended === 1)
})

test('what a session has read already is worked off in turns; answers and the end of the peer wait for them', async () => {
  let now = 0
  const timers: (() => void)[] = []
  const clock = {
    now: () => now,
    monotonic: () => now,
    after: (delayMs: number, run: () => void) => {
      if (delayMs < 5000) timers.push(run)
      return { cancel: () => {} }
    },
  }
  const connection = new Scripted()
  const done: string[] = []
  let backlogOctets = 0
  const { promise, resolve } = Promise.withResolvers<string>()
  pump<string, string>({
    connection,
    clock,
    log: silent,
    role: { ask: () => promise, failed: () => '' },
    session: sink => {
      const work = (what: string) => {
        done.push(what)
        now += 1.5
        backlogOctets -= 1000
        if (backlogOctets > 0) sink.send('reply')
      }
      return {
        start: () => {},
        receive: octets => {
          backlogOctets += octets.length
          sink.ask('question')
          work('received')
        },
        drained: () => {
          if (backlogOctets > 0) work('drained')
        },
        answer: () => done.push('answer'),
        end: () => done.push('end'),
        secured: () => {},
        tell: () => {},
        expire: () => {},
        patienceMs: 0,
        step: 0,
        get backlogOctets() {
          return backlogOctets
        },
      }
    },
  })
  connection.events.received(Buffer.alloc(10_000))
  const first = done.length
  assert.ok(first < 5, done.join(' '))
  connection.events.ended()
  resolve('yes')
  await promise
  await Promise.resolve()
  assert.ok(!done.includes('answer'), 'others have their turn')
  assert.ok(!connection.calls.includes('end'), 'what is left is still answered')
  for (let run = timers.shift(); run !== undefined; run = timers.shift()) run()
  assert.deepEqual(
    [done.filter(what => what === 'drained').length, done.includes('answer')],
    [9, true],
  )
  assert.ok(connection.calls.includes('end'))
})
