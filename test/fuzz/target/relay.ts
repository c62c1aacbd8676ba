/**
 * What we emit re-reads as exactly one message: our SMTP client against our SMTP server, by DATA and by BDAT, and
 * our POP3 server against our POP3 client. Where line ends are CRLF the octets arrive as they left; where one
 * stands alone it arrives as CRLF, and never ends anything.
 */
import assert from 'node:assert/strict'
import type { Order } from '../../../src/pop3/client/question.ts'
import { ClientSession as PopClient } from '../../../src/pop3/client/session.ts'
import { settings as popSettings, yes } from '../../../src/pop3/scripted.ts'
import { ServerSession as PopServer } from '../../../src/pop3/server/session.ts'
import type { ClientAnswer, ClientQuestion } from '../../../src/smtp/client/question.ts'
import { carry, settings as clientSettings } from '../../../src/smtp/client/scripted.ts'
import { ClientSession as SmtpClient } from '../../../src/smtp/client/session.ts'
import type { Session, Sink, Source, Transform } from '../../../src/wire/effect.ts'
import type { Random } from '../../../src/world/random.ts'
import { sessionEnds, sessionSettings } from '../../kit/smtp-settings.ts'
import { latin1, pick, some, type Target } from '../lab/target.ts'
import { SmtpStage } from '../smtp-stage.ts'

/** A sink that passes what is said to the other side, when it is asked to. */
class Wire<Q, A> implements Sink<Q, A> {
  readonly #pieces: Uint8Array[] = []
  readonly #answer: (question: Q) => A | undefined
  readonly taken: Buffer[] = []
  closed = false

  constructor(answer: (question: Q) => A | undefined) {
    this.#answer = answer
  }

  /** All that was said, cut anew. */
  flow(random: Random, to: (octets: Uint8Array) => void): boolean {
    const whole = Buffer.concat(this.#pieces.splice(0))
    for (let at = 0; at < whole.length; ) {
      const size = whole.length > 20_000 ? 4096 : 1 + random.below(random.below(3) === 0 ? 3 : 300)
      to(whole.subarray(at, at + size))
      at += size
    }
    return whole.length > 0
  }

  send(output: string | Uint8Array): void {
    this.#pieces.push(Buffer.from(output as string))
  }
  stream(source: Source, transform?: Transform): void {
    assert.ok(source instanceof Uint8Array)
    // In pieces: what is stuffed must not hang on the cuts.
    const size = source.length > 20_000 ? 4096 : 7
    for (let at = 0; at < source.length; at += size) {
      const piece = source.subarray(at, at + size)
      this.send(transform ? transform.push(piece) : piece)
    }
    if (transform) this.send(transform.end())
  }
  ask(question: Q): A | undefined {
    return this.#answer(question)
  }
  content(octets: Uint8Array, from: number, to: number): void {
    this.taken.push(Buffer.from(octets.subarray(from, to)))
  }
  secure(): void {}
  compress(): void {}
  handOver(): void {}
  close(): void {
    this.closed = true
  }
}

/** RFC 5321 §2.3.8: what leaves by DATA has no CR or LF alone, and ends with its line. */
function asLines(octets: Buffer): string {
  const text = octets.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n')
  return text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`
}

const pieces = [
  '\r\n',
  '\n',
  '\r',
  '.',
  '..',
  '\r\n.\r\n',
  '\n.\n',
  '\r.\r',
  '\n.\r\n',
  '\r\n.\n',
  '\r\r\n',
  'MAIL FROM:<x@y>\r\n',
  'a',
  '\xff',
  ' ',
  '\0.',
]

function relay(name: string, changes: object, server: object): Target {
  return {
    name,
    seeds: () =>
      [
        'Subject: x\r\n\r\nhello\r\n',
        '.\r\n.\r\n',
        '\n.\n',
        'x\r\n.\r\nMAIL FROM:<a@b>\r\n',
        '',
      ].map(latin1),
    words: pieces,
    make: random => latin1(some(random, 0, 20, () => pick(random, pieces))),
    run: (input, random) => {
      const binary = 'chunkOctets' in changes
      const sender = binary ? ({ body: 'BINARYMIME' } as const) : { body: '8BITMIME' as const }
      const work: ClientAnswer[] = [
        carry(['b@two.test'], input, sender),
        carry(['c@two.test'], latin1('second\r\n')),
        { kind: 'quit' },
      ]
      const outcomes: string[] = []
      const wire = new Wire<ClientQuestion, ClientAnswer>(question => {
        if (question.kind === 'outcomes') outcomes.push(question.outcomes[0]?.kind ?? 'none')
        return question.kind === 'ready' ? work.shift() : { kind: 'noted' }
      })
      const client = new SmtpClient({ ...clientSettings, ...changes }, wire)
      const stage = new SmtpStage({ ...sessionSettings, ...server }, random.below(2) === 0)
      client.start()
      for (let turns = 0; turns < 1000; turns++) {
        const heard = stage.taken()
        if (heard.length > 0) client.receive(heard)
        client.drained()
        if (!wire.flow(random, octets => stage.say(Buffer.from(octets), [])) && heard.length === 0)
          break
      }
      // A NUL goes by no hop without BINARYMIME (RFC 5321 §4.5.2), and is refused there as a whole.
      const fit = binary || !input.includes(0)
      if (fit) assert.deepEqual(outcomes, ['delivered', 'delivered'])
      assert.equal(stage.messages.at(-1), 'second\r\n')
      assert.equal(stage.messages.length, outcomes.filter(kind => kind === 'delivered').length)
      if (outcomes[0] === 'delivered') {
        assert.equal(stage.messages[0], binary ? input.toString('latin1') : asLines(input))
      }
      return input.length
    },
  }
}

const pop: Target = {
  name: 'pop3-both',
  seeds: () =>
    ['Subject: x\r\n\r\nhello\r\n', '.\r\n.\r\n', '\n.\n', 'x\r\n.\r\n+OK\r\n', 'no end', ''].map(
      latin1,
    ),
  words: pieces,
  make: random => latin1(some(random, 0, 20, () => pick(random, pieces))),
  run: (input, random) => {
    const work: Order[] = [
      { kind: 'login', credentials: { username: 'joe', password: 'secret' }, mechanisms: [] },
      { kind: 'retrieve', number: 1 },
      { kind: 'stat' },
      { kind: 'quit' },
    ]
    const results: string[] = []
    const client = new Wire<{ readonly result: { readonly kind: string } }, Order>(({ result }) => {
      results.push(result.kind)
      return work.shift() ?? { kind: 'quit' }
    })
    const maildrop = [input.toString('latin1')]
    const server = new Wire<Parameters<typeof yes>[0], ReturnType<typeof yes>>(question =>
      question.kind === 'retrieve'
        ? { kind: 'content', sizeOctets: input.length, content: input }
        : yes(question, maildrop),
    )
    const settings = { plaintextAuth: true, replyTimeoutMs: 1, chance: () => new Uint8Array(8) }
    const receiver = new PopClient(client as never, settings, undefined)
    const giver = new PopServer(server, popSettings, sessionEnds)
    giver.start()
    receiver.start()
    const talk = (session: Pick<Session<never>, 'receive' | 'drained'>) => (octets: Uint8Array) => {
      session.receive(octets)
      session.drained()
    }
    while (
      server.flow(random, talk(receiver as never)) ||
      client.flow(random, talk(giver as never))
    );
    assert.deepEqual(results, ['ok', 'ok', 'content', 'stat', 'ok'])
    const got = Buffer.concat(client.taken).toString('latin1')
    assert.equal(
      got.replace(/[\r\n]/g, ''),
      maildrop[0]?.replace(/[\r\n]/g, ''),
      'no octet but line ends differs',
    )
    if (asLines(input) === maildrop[0]) assert.equal(got, maildrop[0])
    return got.length
  },
}

export const relayTargets: readonly Target[] = [
  relay('relay-data', { without: ['CHUNKING'] }, {}),
  relay('relay-bdat', { chunkOctets: 5 }, {}),
  relay('relay-stepwise', { without: ['CHUNKING', 'PIPELINING'] }, { bareLineEnds: 'normalize' }),
  pop,
]
