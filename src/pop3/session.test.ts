import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sink, Source, Transform } from '../wire/effect.ts'
import { silent } from '../world/log.ts'
import type { Connection, ConnectionEvents } from '../world/net.ts'
import { pump } from '../world/pump.ts'
import { createWorld } from '../world/sim/index.ts'
import type { ClientAnswer, ClientQuestion, Order, Result } from './client/question.ts'
import { ClientSession } from './client/session.ts'
import { Scripted, settings, tls, wholeOf, yes } from './scripted.ts'
import type { Answer, Question, ServerEvent } from './server/question.ts'
import { ServerSession } from './server/session.ts'
import { topOf } from './server/top.ts'

const LOGIN = 'USER joe\r\nPASS secret\r\n'

test('a maildrop of 50,000 messages is listed in slices while it leaves', async () => {
  const count = 50_000
  const uids = Uint32Array.from({ length: count }, (_, n) => n + 1)
  const sizes = new Float64Array(count).fill(1000)
  const play = new Scripted([])
  play.openAnswer = { kind: 'opened', listing: { uidValidity: 7, uids, sizes } }
  play.session.start()
  await play.say(`${LOGIN}DELE 2\r\n`)
  for (const [command, third] of [
    ['LIST', '3 1000'],
    ['UIDL', '3 7.3'],
  ]) {
    const lines = (await play.say(`${command}\r\nNOOP\r\n`)).split('\r\n')
    assert.equal(lines.length, 1 + count - 1 + 3)
    assert.equal(lines[2], third)
    assert.deepEqual(lines.slice(-3), ['.', '+OK done', ''])
  }
  assert.match(await play.say('STAT\r\n'), /^\+OK 49999 49999000\r\n/)
})

/** A reader that takes nothing: after the first write the connection is full. */
function stalled(): { readonly connection: Connection; readonly events: () => ConnectionEvents } {
  let events: ConnectionEvents | undefined
  const connection: Connection = {
    remote: { address: '192.0.2.1', port: 1 },
    local: { address: '192.0.2.2', port: 110 },
    open: given => {
      events = given
    },
    release() {},
    write: () => false,
    pause() {},
    resume() {},
    secure: () => Promise.reject(new Error('no TLS here')),
    end() {},
    destroy: () => events?.closed(),
  }
  return { connection, events: () => events as ConnectionEvents }
}

test('a 25 MB RETR to a stalled reader holds under 1 MB, however much is pipelined behind it', async () => {
  let pulled = 0
  const large: AsyncIterable<Uint8Array> = {
    async *[Symbol.asyncIterator]() {
      for (let n = 0; n < 100; n++) {
        pulled += 256 * 1024
        yield Buffer.alloc(256 * 1024, '.\r\n')
      }
    },
  }
  const { connection, events } = stalled()
  let asked = 0
  pump<Question, Answer, ServerEvent>({
    connection,
    clock: createWorld({ seed: 1 }).host({ name: 'a', addresses: [] }).world.clock,
    role: {
      ask: question => {
        if (question.kind === 'retrieve') asked++
        return yes(question, [large])
      },
      failed: () => assert.fail('no question fails'),
    },
    session: sink => {
      const peer = { remote: connection.remote, local: connection.local }
      return new ServerSession(sink, settings, peer)
    },
    log: silent,
  })
  events().drained()
  events().received(Buffer.from(LOGIN))
  events().drained()
  events().received(Buffer.from('RETR 1\r\n'.repeat(1000)))
  for (let n = 0; n < 200; n++) await Promise.resolve()
  assert.equal(asked, 1)
  assert.ok(pulled > 0 && pulled <= 1024 * 1024, `${pulled} octets were pulled`)
})

test('pipelined commands wait while 64 KB of replies have not left', async () => {
  const play = new Scripted(['Subject: x\r\n\r\n'])
  play.session.start()
  await play.say(LOGIN)
  play.session.receive(Buffer.from('CAPA\r\n'.repeat(10_000)))
  assert.ok(play.said().length < 70_000)
  assert.ok(play.session.backlogOctets > 0)
  for (let n = 0; n < 100 && play.session.backlogOctets > 0; n++) await play.flush()
  assert.equal(play.session.backlogOctets, 0)
})

test('an endless line costs no memory', () => {
  const play = new Scripted([])
  play.session.start()
  const octets = Buffer.alloc(64 * 1024, 'a')
  for (let n = 0; n < 1000; n++) {
    play.session.receive(octets)
    assert.ok(play.session.backlogOctets <= 255)
  }
  assert.ok(play.closed)
})

test('before the login commands do not renew the deadline, after it they do', async () => {
  const play = new Scripted([])
  play.session.start()
  assert.equal(play.session.patienceMs, settings.loginTimeoutMs)
  const before = play.session.step
  await play.say('CAPA\r\nUSER joe\r\nAUTH\r\n')
  assert.equal(play.session.step, before)
  await play.say('USER joe\r\nPASS secret\r\n')
  assert.equal(play.session.patienceMs, settings.idleTimeoutMs)
  const after = play.session.step
  await play.say('NOOP\r\n')
  assert.ok(play.session.step > after)
  play.session.receive(Buffer.from('NOO'))
  assert.equal(play.session.step, after + 1, 'half a command renews nothing')
})

test('nothing a peer sends makes a session throw, fall silent or forget a reply', async () => {
  const words = [
    ...[
      'USER joe',
      'PASS secret',
      'AUTH PLAIN',
      'AUTH',
      'STAT',
      'LIST',
      'LIST 1',
      'RETR 1',
      'RETR 9',
    ],
    ...[
      'TOP 1 1',
      'UIDL',
      'DELE 1',
      'DELE 1',
      'RSET',
      'NOOP',
      'CAPA',
      'STLS',
      '*',
      '=',
      '',
      '\0',
      '%',
    ],
    ...['AGpvZQBzZWNyZXQ=', 'x'.repeat(300), 'USER \xff\xfe', 'TOP 1', 'QUIT x', 'é'],
  ]
  let state = 7
  const chance = (limit: number) => {
    state = (state * 48_271) % 2_147_483_647
    return state % limit
  }
  for (let round = 0; round < 300; round++) {
    const play = new Scripted(['a: b\r\n\r\n.x\r\n'], { errorsMax: 1_000, loginFailuresMax: 1_000 })
    play.later = chance(2) === 1
    play.session.start()
    for (let n = 0; n < 40; n++) {
      const line = `${words[chance(words.length)]}${chance(10) === 0 ? '\n' : '\r\n'}`
      play.session.receive(Buffer.from(line, 'latin1'))
      if (play.later && play.asked.length > 0) play.reply()
      if (play.securing) play.session.secured(tls)
      play.securing = false
      await play.flush()
    }
    play.later = false
    for (let n = 0; n < 5; n++) play.reply()
    const last = await play.say('*\r\nNOOP\r\nCAPA\r\n')
    assert.match(last, /IMPLEMENTATION Postrider\r\n\.\r\n$/)
  }
})

for (const cut of [1, 2, 3, 100]) {
  test(`the top of a message is found in chunks of ${cut}`, async () => {
    const message = 'A: b\r\nC: d\r\n\r\none\r\n\r\nthree\r\nfour'
    const chunks = async function* () {
      for (let at = 0; at < message.length; at += cut)
        yield Buffer.from(message.slice(at, at + cut))
    }
    const expected = [
      '',
      'one\r\n',
      'one\r\n\r\n',
      'one\r\n\r\nthree\r\n',
      'one\r\n\r\nthree\r\nfour',
    ]
    for (const [lines, body] of expected.entries()) {
      const top = (await wholeOf(topOf(chunks(), lines))).toString()
      assert.equal(top, `A: b\r\nC: d\r\n\r\n${body}`)
    }
  })
}

/** A client session on a script: orders in, results out; `say` is the server's voice. */
class ClientPlay {
  readonly session: ClientSession
  readonly results: Result[] = []
  readonly #orders: Order[]
  said = ''
  content = ''
  closed = false
  securing = false

  constructor(orders: Order[], plaintextAuth = true) {
    this.#orders = orders
    const sink: Sink<ClientQuestion, ClientAnswer> = {
      send: output => {
        this.said += output
      },
      stream: (_source: Source, _transform?: Transform) => assert.fail('a client streams nothing'),
      ask: question => {
        if (question.kind === 'next') this.results.push(question.result)
        return this.#orders.shift()
      },
      content: (octets, from, to) => {
        this.content += Buffer.from(octets.subarray(from, to)).toString('latin1')
      },
      secure: () => {
        this.securing = true
      },
      compress: () => assert.fail('POP3 compresses nothing'),
      handOver: () => assert.fail('POP3 hands nothing over'),
      close: () => {
        this.closed = true
      },
    }
    const limits = { plaintextAuth, replyTimeoutMs: 1000, chance: (n: number) => new Uint8Array(n) }
    this.session = new ClientSession(sink, limits, undefined)
    this.session.start()
  }

  say(text: string, octetwise: boolean): void {
    const octets = Buffer.from(text)
    if (!octetwise) this.session.receive(octets)
    else for (const octet of octets) this.session.receive(Uint8Array.of(octet))
  }
}

const credentials = { username: 'joe', password: 'secret' }

for (const octetwise of [false, true]) {
  test(`a client reads a server's side of a session${octetwise ? ', octet by octet' : ''}`, () => {
    const play = new ClientPlay([
      { kind: 'capabilities' },
      { kind: 'login', credentials, mechanisms: [] },
      { kind: 'stat' },
      { kind: 'list' },
      { kind: 'uidl' },
      { kind: 'retrieve', number: 1 },
      { kind: 'delete', number: 2 },
      { kind: 'quit' },
    ])
    play.say(
      '+OK hello\r\n+OK\r\nTOP\r\n..x\r\n.\r\n+OK\r\n+OK logged in\r\n+OK 2 30\r\n',
      octetwise,
    )
    play.say('+OK\r\n1 10\r\n2 20\r\n.\r\n+OK\r\n1 a\r\n2 b\r\n.\r\n', octetwise)
    play.say('+OK 10 octets\r\n..dot\r\nx\r\n.\r\n-ERR [SYS/TEMP] no\r\n+OK bye\r\n', octetwise)
    assert.deepEqual(play.results, [
      { kind: 'ok', text: 'hello' },
      { kind: 'capabilities', lines: ['TOP', '.x'] },
      { kind: 'ok', text: 'logged in' },
      { kind: 'stat', count: 2, octets: 30 },
      {
        kind: 'listing',
        entries: [
          [1, '10'],
          [2, '20'],
        ],
      },
      {
        kind: 'listing',
        entries: [
          [1, 'a'],
          [2, 'b'],
        ],
      },
      { kind: 'content', sizeOctets: 9 },
      { kind: 'refused', code: 'SYS/TEMP', text: 'no' },
      { kind: 'ok', text: 'bye' },
    ])
    assert.equal(play.content, '.dot\r\nx\r\n')
    assert.equal(
      play.said,
      'CAPA\r\nUSER joe\r\nPASS secret\r\nSTAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nDELE 2\r\nQUIT\r\n',
    )
    assert.ok(play.closed)
  })
}

test('a client never takes what a thief puts behind the answer to STLS', () => {
  const play = new ClientPlay([{ kind: 'startTls' }])
  play.say('+OK hello\r\n+OK begin\r\n+OK injected\r\n', false)
  assert.equal(play.securing, false)
  assert.ok(play.closed)
  assert.equal(play.results.at(-1)?.kind, 'broken')
})

test('a client sends no password in the clear', () => {
  for (const mechanisms of [[], ['PLAIN', 'LOGIN']]) {
    const play = new ClientPlay([{ kind: 'login', credentials, mechanisms }], false)
    play.say('+OK hello\r\n', false)
    assert.equal(play.results.at(-1)?.kind, 'refused')
    assert.equal(play.said, '')
  }
})

for (const nonsense of ['220 this is SMTP\r\n', `+OK ${'x'.repeat(20_000)}\r\n`, '\r\n']) {
  test(`a client gives up on ${nonsense.slice(0, 16).trim() || 'an empty line'}`, () => {
    const play = new ClientPlay([{ kind: 'stat' }])
    play.say(nonsense, false)
    assert.equal(play.results.at(-1)?.kind, 'broken')
    assert.ok(play.closed)
  })
}

test('a client does not keep a listing of lines as long as may be', () => {
  const play = new ClientPlay([{ kind: 'uidl' }])
  play.say('+OK hello\r\n+OK\r\n', false)
  const lines = `1 ${'u'.repeat(16_000)}\r\n`.repeat(100)
  for (let sent = 0; sent < 50 && !play.closed; sent++) play.say(lines, false)
  assert.equal(play.results.at(-1)?.kind, 'broken')
  assert.ok(play.closed)
})

test('a silent or lost server is a result too', () => {
  for (const how of ['expire', 'end'] as const) {
    const play = new ClientPlay([{ kind: 'stat' }])
    play.say('+OK hello\r\n', false)
    play.session[how]()
    assert.equal(play.results.at(-1)?.kind, 'broken')
    assert.ok(play.closed)
  }
})
