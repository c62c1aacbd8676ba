/** The server session as a machine: random dialogues against a small model, deadlines, bounds, joins. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { accept, refuse } from '../../mail/verdict.ts'
import type { Sink, TlsFacts } from '../../wire/effect.ts'
import type { Answer, Question, SessionSettings } from './question.ts'
import { ServerSession } from './session.ts'

const settings: SessionSettings = {
  hostname: 'mx.example',
  protocol: 'smtp',
  banner: '',
  sizeMaxBytes: 1000,
  recipientsMax: 3,
  recipientDomainsMax: 0,
  bareLineEnds: 'refuse',
  startTls: true,
  mechanisms: [],
  requireAuth: false,
  service: 'mx',
  with: [],
  without: [],
  xclientFrom: [],
  xforwardFrom: [],
  errorsMax: 0,
  transactionsMax: 0,
  commandTimeoutMs: 300_000,
  dataTimeoutMs: 180_000,
  deliverByMinS: 0,
  holdMaxS: 86_400,
  priorityMax: 0,
  unwanted: [],
  chance: octets => new Uint8Array(octets),
  now: () => Date.UTC(2026, 10, 27, 4),
}
const ends = { remote: { address: '::1', port: 1 }, local: { address: '::1', port: 25 } }

function verdictOn(question: Question): Answer {
  if (question.kind === 'rcpts') {
    return question.recipients.map(({ forwardPath }) =>
      forwardPath.local === 'bad' ? refuse(550, '1.1', 'no') : accept(),
    )
  }
  return question.kind === 'accept' ? question.envelope.recipients.map(() => accept()) : accept()
}

/** A session, what it said, what was accepted, and every question's kind. */
function open(
  over: Partial<SessionSettings> = {},
  answer: (question: Question) => Answer | undefined = verdictOn,
  tls?: TlsFacts,
) {
  const seen = {
    output: '',
    asked: [] as string[],
    octets: 0,
    closed: 0,
    secured: 0,
    handedOver: 0,
  }
  const sink: Sink<Question, Answer> = {
    send: output => {
      seen.output += output
    },
    stream: () => assert.fail('a server streams nothing'),
    ask: question => {
      seen.asked.push(question.kind)
      return answer(question)
    },
    content: (_, from, to) => {
      seen.octets += to - from
    },
    secure: () => {
      seen.secured += 1
    },
    compress: () => {},
    handOver: () => {
      seen.handedOver += 1
    },
    close: () => {
      seen.closed += 1
    },
  }
  const session = new ServerSession(sink, { ...settings, ...over }, ends, tls, () => undefined)
  session.start()
  const say = (text: string) => {
    seen.output = ''
    session.receive(Buffer.from(text, 'latin1'))
    return seen.output
  }
  return { session, seen, say }
}

/** The reference: what code each command must get, from RFC 5321 §4.1.4 and RFC 3030 §2 alone. */
class Model {
  #hello = false
  #mail = false
  #recipients = 0
  #chunks: 'none' | 'some' | 'failed' = 'none'

  expect(command: string): number {
    switch (command) {
      case 'EHLO x':
      case 'HELO x':
        this.#hello = true
        return this.#reset(250)
      case 'RSET':
        return this.#reset(250)
      case 'NOOP':
        return 250
      case 'VRFY x':
        return 252
      case 'FOO':
        return 500
      case 'MAIL FROM:<a@b>':
        if (!this.#hello || this.#mail || this.#chunks === 'failed') return 503
        this.#mail = true
        return 250
      case 'MAIL FROM:<a@b> SIZE=1001':
        return !this.#hello || this.#mail || this.#chunks === 'failed' ? 503 : 552
      default:
        return command.startsWith('RCPT') ? this.#rcpt(command) : this.#content(command)
    }
  }

  #rcpt(command: string): number {
    if (!this.#mail || this.#chunks !== 'none') return 503
    if (command.includes('bad')) return this.#recipients < 3 ? 550 : 452
    if (this.#recipients >= 3) return 452
    this.#recipients += 1
    return 250
  }

  #content(command: string): number {
    const chunk = command.startsWith('BDAT')
    if (!this.#mail || (!chunk && this.#chunks !== 'none')) return 503
    if (this.#recipients === 0) return 554
    if (!chunk || command.includes('LAST')) {
      return command.includes('1001') ? this.#reset(552) : this.#reset(250)
    }
    if (command.includes('1001')) {
      this.#reset(552)
      this.#chunks = 'failed'
      return 552
    }
    this.#chunks = 'some'
    return 250
  }

  #reset(code: number): number {
    this.#mail = false
    this.#recipients = 0
    this.#chunks = 'none'
    return code
  }
}

const commands = [
  ...['EHLO x', 'HELO x', 'RSET', 'NOOP', 'VRFY x', 'FOO', 'MAIL FROM:<a@b>', 'MAIL FROM:<a@b>'],
  ...['MAIL FROM:<a@b> SIZE=1001', 'RCPT TO:<c@d>', 'RCPT TO:<c@d>', 'RCPT TO:<bad@d>', 'DATA'],
  ...['BDAT 6', 'BDAT 6 LAST', 'BDAT 0', 'BDAT 0 LAST', 'BDAT 1001', 'BDAT 1001 LAST'],
]

test('random commands get what a small model of the RFCs says, and chunks never lose the sync', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...commands), { maxLength: 40 }), sequence => {
      const { say } = open()
      const model = new Model()
      for (const command of sequence) {
        const expected = model.expect(command)
        const octets = Number(/^BDAT (\d+)/.exec(command)?.[1] ?? 0)
        let said = say(`${command}\r\n${'QUIT\r\n'.repeat(200).slice(0, octets)}`)
        if (command === 'DATA' && expected === 250) {
          assert.match(said, /^354 /)
          said = say('x\r\n.\r\n')
        }
        const last = said.trimEnd().split('\r\n').at(-1) ?? ''
        assert.equal(
          Number(last.slice(0, 3)),
          expected,
          `${sequence.join(', ')}: ${command}: ${said}`,
        )
      }
    }),
    { numRuns: 1500 },
  )
})

test('no octets whatever make it throw, and it keeps no more than a line', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      ...commands.map(command => `${command}\r\n`),
      'STARTTLS\r\n',
      '.\r\n',
      '\r',
      '\n',
    ),
    fc.string({ unit: 'binary', maxLength: 20 }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), pieces => {
      const { session, seen } = open()
      for (const each of pieces) {
        session.receive(Buffer.from(each))
        assert.ok(session.backlogOctets <= 12_288)
      }
      session.end()
      assert.ok(seen.closed <= 1)
    }),
    { numRuns: 500 },
  )
})

test('pipelined recipients are one question', () => {
  const { seen, say } = open()
  say(
    'EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nrcpt to:<c@d>\r\nRCPT TO:<bad@d>\r\nNOOP\r\nRCPT TO:<e@f>\r\n',
  )
  assert.deepEqual(seen.asked, ['connect', 'hello', 'mail', 'rcpts', 'rcpts'])
})

test('input waits while a question is open, and replies keep their order', () => {
  const waiting: Question[] = []
  const { session, seen, say } = open({}, question => {
    if (question.kind !== 'mail') return verdictOn(question)
    waiting.push(question)
    return undefined as unknown as Answer
  })
  say('EHLO x\r\n')
  assert.equal(say('MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n'), '')
  assert.equal(session.patienceMs, 0)
  assert.ok(session.backlogOctets > 0)
  session.answer(accept())
  assert.deepEqual(
    seen.output
      .trimEnd()
      .split('\r\n')
      .map(line => line.slice(0, 3)),
    ['250', '250', '354', '250', '221'],
  )
  assert.equal(session.backlogOctets, 0)
  assert.equal(seen.closed, 1)
})

test('a crawling peer does not move the deadline, an honest one does', () => {
  const { session, say } = open({ sizeMaxBytes: 0 })
  say('EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n')
  const idle = session.step
  say('DA')
  say('T')
  assert.equal(session.step, idle)
  assert.equal(session.patienceMs, 300_000)
  say('A\r\n')
  assert.equal(session.patienceMs, 180_000)
  const started = session.step
  for (let i = 0; i < 1000; i++) say('x')
  assert.equal(session.step, started)
  say('x'.repeat(20_000))
  assert.ok(session.step > started)
})

test('a message of any size passes through without being kept', () => {
  const { session, seen, say } = open({ sizeMaxBytes: 0 })
  say('EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n')
  const block = `${'x'.repeat(998)}\r\n`.repeat(60)
  for (let i = 0; i < 100; i++) {
    say(block)
    assert.equal(session.backlogOctets, 0)
  }
  assert.match(say('.\r\n'), /^250 /)
  assert.equal(seen.octets, 100 * block.length)
})

test('a line without an end closes the session', () => {
  const { seen, say } = open()
  for (let i = 0; i < 40 && seen.closed === 0; i++) say('x'.repeat(60_000))
  assert.match(seen.output, /^421 4\.7\.0 /)
  assert.equal(seen.closed, 1)
})

test('plaintext between STARTTLS and TLS is not read', () => {
  const { session, seen, say } = open()
  say('EHLO x\r\nSTARTTLS\r\nMAIL FROM:<a@b>\r\n')
  assert.equal(seen.secured, 1)
  assert.equal(session.backlogOctets, 0)
  assert.equal(say('EHLO y\r\n'), '')
  session.secured({ protocol: 'TLSv1.3', cipher: 'x', verified: false })
  assert.match(say('MAIL FROM:<a@b>\r\n'), /^503 /)
})

const verified: TlsFacts = { protocol: 'TLSv1.3', cipher: 'x', verified: true }

test('nothing may be pipelined behind a command that exchanges the roles', () => {
  for (const end of [false, true]) {
    const answers: (Answer | undefined)[] = []
    const answer = (question: Question) =>
      question.kind === 'exchange' ? answers.shift() : verdictOn(question)
    const { session, seen, say } = open({ with: ['TURN'] }, answer, verified)
    say('EHLO x\r\n')
    say(end ? 'TURN\r\n' : 'TURN\r\n220 hello\r\n')
    // What comes while policy is asked counts as well; nobody who waits for the reply sends it.
    if (end) session.end()
    seen.output = ''
    session.answer(accept())
    assert.match(seen.output, /^421 4\.5\.1 /)
    assert.deepEqual([seen.handedOver, seen.closed, session.backlogOctets], [0, 1, 0])
  }
})

test('after the roles have changed the session says and takes nothing more', () => {
  const { session, seen, say } = open({ with: ['TURN'] }, verdictOn, verified)
  say('EHLO x\r\n')
  assert.equal(say('TURN\r\n'), '250 2.0.0 OK now reversing the connection\r\n')
  session.tell({ kind: 'shutdown' })
  session.expire()
  session.end()
  assert.equal(say('NOOP\r\n'), '')
  assert.deepEqual([seen.handedOver, seen.closed, session.backlogOctets], [1, 0, 0])
})

test('an extension is offered only where it may be used', () => {
  const offered = (over: Partial<SessionSettings>, tls?: TlsFacts) =>
    open(over, verdictOn, tls)
      .say('EHLO x\r\n')
      .match(/\b(?:ETRN|ATRN|TURN)\b/g)
      ?.join(' ') ?? ''
  assert.equal(offered({}), '')
  assert.equal(offered({ service: 'submission' }), '')
  assert.equal(offered({ service: 'odmr' }), 'ATRN')
  assert.equal(offered({ service: 'odmr', without: ['ATRN'] }), '')
  assert.equal(offered({ with: ['ETRN', 'ATRN', 'TURN'] }), 'ETRN ATRN')
  assert.equal(offered({ with: ['TURN'] }, { ...verified, verified: false }), '')
  assert.equal(offered({ with: ['TURN'] }, verified), 'TURN')
})

test('commands wait while a peer has not read the replies, and each gets its own', () => {
  const { session, seen, say } = open()
  say('EHLO x\r\n')
  session.drained()
  seen.output = ''
  session.receive(Buffer.from('HELP\r\n'.repeat(5000)))
  const replies = () => seen.output.split('\r\n').filter(line => line.startsWith('214 ')).length
  const atOnce = replies()
  assert.ok(seen.output.length < 70_000, `${seen.output.length} octets at once`)
  assert.ok(session.backlogOctets > 20_000)
  session.end()
  assert.equal(seen.closed, 0)
  for (let times = 0; times < 200 && seen.closed === 0; times++) {
    const before = seen.output.length
    session.drained()
    assert.ok(seen.output.length - before < 70_000)
  }
  assert.equal(replies(), 5000)
  assert.ok(atOnce < 500)
  assert.equal(seen.closed, 1)
})
