/**
 * Several sessions on one mailbox, their commands, answers and wake-ups in any order (RFC 9051 §5.2, §7.5.1): a
 * client that believes every untagged response must at each moment be able to number its messages, never be told
 * of an expunge while numbers may be in use, and know in the end what the mailbox holds. RUNS=5000 for more.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Scripted, settings } from '../../src/imap/scripted.ts'
import type { Question } from '../../src/imap/server/question.ts'
import { ServerSession } from '../../src/imap/server/session.ts'

const runs = Number(process.env['RUNS'] ?? 400)
const endpoint = { address: '192.0.2.1', port: 40_000 }

/** A client's belief. */
class Client {
  readonly #policy: Scripted
  readonly #session: ServerSession
  readonly #qresync: boolean
  readonly #later: boolean
  #asked: Question | undefined
  #half = ''
  #tag = 0
  /** Commands under way, by their tags; the first is the one being answered. */
  readonly #commands = new Map<string, string>()
  /** UID by number; 0 where it was not told yet. */
  #uids: number[] = []
  readonly #flags = new Map<number, string>()

  constructor(policy: Scripted, qresync: boolean, later: boolean) {
    this.#policy = policy
    this.#qresync = qresync
    this.#later = later
    this.#session = new ServerSession(
      {
        send: output => this.#hear(Buffer.from(output).toString('latin1')),
        stream: () => assert.fail('nothing is streamed here'),
        ask: question => {
          if (!this.#later) return policy.answer(question)
          assert.equal(this.#asked, undefined, 'two questions are open')
          this.#asked = question
          return undefined
        },
        content: () => {},
        secure: () => {},
        compress: () => {},
        handOver: () => {},
        close: () => assert.fail('it closed'),
      },
      settings,
      { remote: endpoint, local: endpoint },
    )
    this.#session.start()
    this.settle()
    this.#session.peer = { ...this.#session.peer, account: { id: 1, address: 'joe@example.org' } }
    this.#session.state = 'authenticated'
    if (qresync) this.say('ENABLE QRESYNC')
    this.say('SELECT INBOX')
    this.settle()
    this.learn()
  }

  get exists(): number {
    return this.#uids.length
  }

  say(command: string): void {
    const tag = `t${++this.#tag}`
    this.#commands.set(tag, command)
    this.#session.receive(Buffer.from(`${tag} ${command}\r\n`))
  }

  leaveIdle(): void {
    this.#session.receive(Buffer.from('DONE\r\n'))
    this.settle()
    this.learn()
  }

  wake(): void {
    this.#session.tell({ kind: 'changed' })
  }

  /** Answers what is asked, and lets the output leave. */
  answer(): void {
    const question = this.#asked
    this.#asked = undefined
    if (question !== undefined) this.#session.answer(this.#policy.answer(question))
    this.#session.drained()
  }

  settle(): void {
    for (let steps = 0; this.#asked !== undefined || steps < 3; steps++) this.answer()
  }

  /** Asks for UIDs and flags until all are known. */
  learn(): void {
    for (let tries = 0; tries === 0 || this.#uids.includes(0); tries++) {
      assert.ok(tries < 5, 'UIDs that cannot be learnt')
      this.say('UID FETCH 1:* (FLAGS)')
      this.settle()
    }
  }

  /** Takes whole lines, without what stands in their literals. */
  #hear(text: string): void {
    this.#half += text
    for (;;) {
      const end = this.#half.indexOf('\r\n')
      if (end < 0) return
      const line = this.#half.slice(0, end)
      const literal = /^(.*)\{(\d+)\}$/.exec(line)
      if (literal === null) {
        this.#half = this.#half.slice(end + 2)
        this.#line(line)
        continue
      }
      const behind = end + 2 + Number(literal[2])
      if (this.#half.length < behind) return
      this.#half = `${literal[1]}NIL${this.#half.slice(behind)}`
    }
  }

  #line(line: string): void {
    const [word = '', ...rest] = line.split(' ')
    if (word === '*') this.#untagged(rest, line)
    else if (word !== '+') {
      const [first] = this.#commands.keys()
      assert.equal(word, first, `answers come in order: ${line}`)
      this.#commands.delete(word)
    }
  }

  #untagged([one = '', two = '', ...rest]: readonly string[], line: string): void {
    const number = Number(one)
    if (two === 'EXISTS') {
      assert.ok(number >= this.#uids.length, `${line}, but ${this.#uids.length} are known`)
      while (this.#uids.length < number) this.#uids.push(0)
    } else if (two === 'EXPUNGE') {
      assert.ok(!this.#qresync && number >= 1 && number <= this.#uids.length, line)
      this.#mayExpunge(line)
      this.#uids.splice(number - 1, 1)
    } else if (one === 'VANISHED') {
      assert.ok(this.#qresync, line)
      this.#mayExpunge(line)
      for (const uid of numbersOf(two)) this.#vanish(uid, line)
    } else if (two === 'FETCH') this.#fetched(number, rest.join(' '))
    else if (one === 'SEARCH') {
      for (const found of [two, ...rest].filter(each => /^\d+$/.test(each))) {
        const [command = ''] = this.#commands.values()
        const most = command.startsWith('UID') ? Number.MAX_SAFE_INTEGER : this.#uids.length
        assert.ok(Number(found) <= most, line)
      }
    }
  }

  #vanish(uid: number, line: string): void {
    const at = this.#uids.indexOf(uid)
    assert.ok(at >= 0, `${line}: ${uid} was not known`)
    this.#uids.splice(at, 1)
  }

  /** RFC 9051 §7.5.1. */
  #mayExpunge(line: string): void {
    const [command = 'nothing'] = this.#commands.values()
    assert.doesNotMatch(
      command,
      /^(?:nothing|FETCH|STORE|SEARCH|SORT|THREAD)/,
      `${line} in ${command}`,
    )
  }

  #fetched(number: number, items: string): void {
    assert.ok(
      number >= 1 && number <= this.#uids.length,
      `FETCH of ${number} of ${this.#uids.length}`,
    )
    const uid = Number(/UID (\d+)/.exec(items)?.[1] ?? this.#uids[number - 1])
    const known = this.#uids[number - 1]
    if (known !== 0) assert.equal(uid, known, `number ${number} is UID ${known}`)
    this.#uids[number - 1] = uid
    const flags = /FLAGS \(([^)]*)\)/.exec(items)?.[1]
    if (uid !== 0 && flags !== undefined) this.#flags.set(uid, flags)
  }

  /** What it believes of the mailbox, as `UID flags`. */
  get belief(): readonly string[] {
    return this.#uids.map(uid => `${uid} ${this.#flags.get(uid) ?? '?'}`)
  }
}

function numbersOf(set: string): number[] {
  return set.split(',').flatMap(range => {
    const [from = 0, to = from] = range.split(':').map(Number)
    return Array.from({ length: to - from + 1 }, (_, n) => from + n)
  })
}

const flag = fc.constantFrom('\\Seen', '\\Deleted', '\\Flagged', 'work')

/** A command with a number put in; numbers are of what the client knows when it says it. */
const command = fc.oneof(
  fc.constantFrom(
    'NOOP',
    'EXPUNGE',
    'CHECK',
    'FETCH 1:* (UID FLAGS)',
    'UID FETCH 1:* (FLAGS)',
    'SEARCH UNDELETED',
    'UID SEARCH ALL',
    'SORT (ARRIVAL) UTF-8 ALL',
    'UID EXPUNGE 1:*',
    'SEARCH RETURN (SAVE) DELETED',
    'UID STORE $ -FLAGS (\\Deleted)',
    'FETCH 1:* (FLAGS) (CHANGEDSINCE 5)',
    'COPY # INBOX',
    'MOVE # INBOX',
    'FETCH # (FLAGS UID BODY[])',
    'STATUS INBOX (MESSAGES)',
    'LIST "" *',
  ),
  fc
    .tuple(fc.constantFrom('', '+', '-'), flag)
    .map(([mode, name]) => `STORE # ${mode}FLAGS (${name})`),
  flag.map(name => `UID STORE # (UNCHANGEDSINCE 9) +FLAGS (${name})`),
)

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('say' as const),
      who: fc.nat(2),
      command,
      n: fc.nat(9),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('answer' as const), who: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('settle' as const), who: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wake' as const), who: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('idle' as const), who: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('deliver' as const), who: fc.nat(2) }) },
)

test('whatever several sessions do, each client can follow', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, later) => {
      const policy = new Scripted()
      for (let n = 0; n < 4; n++) policy.deliver('INBOX', `${n}\r\n`)
      const clients = [false, true, false].map(qresync => new Client(policy, qresync, later))
      for (const each of steps) {
        const client = clients[each.who] as Client
        if (each.kind === 'deliver') policy.deliver('INBOX', 'new\r\n')
        else if (each.kind === 'wake') client.wake()
        else if (each.kind === 'answer') client.answer()
        else if (each.kind === 'settle') client.settle()
        else if (each.kind === 'idle') {
          client.settle()
          client.learn()
          client.say('IDLE')
          policy.deliver('INBOX', 'while idle\r\n')
          client.wake()
          client.settle()
          client.leaveIdle()
        } else {
          const number = 1 + (each.n % Math.max(1, client.exists))
          client.say(each.command.replace('#', String(number)))
          // VANISHED names UIDs: a client that uses it learns them at once.
          if (each.who === 1) {
            client.settle()
            client.learn()
          }
        }
      }
      for (const client of clients) {
        client.settle()
        client.learn()
      }
      for (const client of clients) {
        client.say('NOOP')
        client.settle()
        client.learn()
      }
      const truth = policy.mailboxes[0]?.messages.map(
        ({ uid, flags }) => `${uid} ${flags.join(' ')}`,
      )
      for (const client of clients) assert.deepEqual(client.belief, truth)
    }),
    { numRuns: runs },
  )
})
