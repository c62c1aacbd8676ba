/** The pump against a scripted connection: every rule of the contract, without a network. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Role, Session, Sink, TlsFacts } from '../wire/effect.ts'
import { silent } from './log.ts'
import type { Connection, ConnectionEvents, SecureOptions } from './net.ts'
import { type Pumping, type PumpOptions, pump } from './pump.ts'
import { createWorld } from './sim/index.ts'

type Answer = string
type Told = string

/** A connection that a test plays: what was written, paused and closed is there to be looked at. */
class Scripted implements Connection {
  readonly remote = { address: '192.0.2.1', port: 1 }
  readonly local = { address: '192.0.2.2', port: 25 }
  readonly calls: string[] = []
  readonly writes: string[] = []
  events!: ConnectionEvents
  takes = true
  tlsResult: Promise<TlsFacts> = Promise.resolve({
    protocol: 'TLSv1.3',
    cipher: 'X',
    verified: false,
  })

  open(events: ConnectionEvents): void {
    this.events = events
  }
  release(): void {
    this.calls.push('release')
  }
  write(output: string | Uint8Array): boolean {
    this.writes.push(Buffer.from(output as Uint8Array).toString())
    return this.takes
  }
  pause(): void {
    this.calls.push('pause')
  }
  resume(): void {
    this.calls.push('resume')
  }
  secure(_options: SecureOptions): Promise<TlsFacts> {
    this.calls.push('secure')
    return this.tlsResult
  }
  end(): void {
    this.calls.push('end')
  }
  destroy(): void {
    this.calls.push('destroy')
    queueMicrotask(() => this.events.closed())
  }
}

interface Play {
  readonly connection: Scripted
  readonly inputs: string[]
  readonly logged: string[]
  readonly sink: Sink<string, Answer>
  readonly running: Pumping<Told>
  readonly advance: (ms: number) => Promise<void>
  readonly state: { patienceMs: number; step: number; backlogOctets: number }
  say(text: string): void
}

type Script = (sink: Sink<string, Answer>, input: string, text: string) => void

/** Starts a pump over a session that notes its inputs and does what the script says. */
function play(
  script: Script,
  role: Partial<Role<string, Answer>> = {},
  more: Partial<PumpOptions<string, Answer, Told>> = {},
): Play {
  const connection = new Scripted()
  const inputs: string[] = []
  const logged: string[] = []
  const state = { patienceMs: 0, step: 0, backlogOctets: 0 }
  const internet = createWorld({ seed: 1 })
  const { world } = internet.host({ name: 'a.test', addresses: ['192.0.2.2'] })
  const note = (event: string) => {
    logged.push(event)
  }
  let sinkOfSession!: Sink<string, Answer>
  const running = pump<string, Answer, Told>({
    connection,
    clock: world.clock,
    log: { ...silent, warn: note, error: note },
    role: { ask: () => 'yes', failed: () => 'later', ...role },
    session: sink => {
      sinkOfSession = sink
      const input = (name: string, text = '') => {
        inputs.push(text === '' ? name : `${name} ${text}`)
        script(sink, name, text)
      }
      const session: Session<Answer, Told> = {
        start: () => input('start'),
        receive: octets => input('receive', Buffer.from(octets).toString()),
        answer: answer => input('answer', answer),
        secured: tls => input('secured', tls.protocol),
        drained: () => input('drained'),
        tell: event => input('tell', event),
        expire: () => input('expire'),
        end: () => input('end'),
        get patienceMs() {
          return state.patienceMs
        },
        get step() {
          return state.step
        },
        get backlogOctets() {
          return state.backlogOctets
        },
      }
      return session
    },
    ...more,
  })
  const say = (text: string) => connection.events.received(Buffer.from(text))
  const advance = (ms: number) => internet.advance(ms)
  return { connection, inputs, logged, sink: sinkOfSession, running, advance, state, say }
}

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

test('ten thousand slices sent from drained do not grow the stack', () => {
  let left = 10_000
  const { connection, say } = play((sink, input) => {
    if (input === 'receive' || (input === 'drained' && left-- > 0)) sink.send('x')
  })
  say('FETCH')
  assert.equal(connection.writes.length, 10_001)
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
