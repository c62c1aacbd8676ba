/**
 * Replays dialogues in text files against a session: whole, octet by octet and randomly cut, with a
 * role that answers at once and with one that answers later. Each protocol has a test file beside this
 * one that makes its sessions (smtp.test.ts); the dialogues are in folders of its name.
 *
 * A file is named as a sentence. Its lines:
 *
 *     # prose; the first line names the RFC and its section (of Postfix's own extensions, its README)
 *     @ word ...     a directive for the one who makes the session (see the protocol's test file)
 *     C: text        the client sends the text and CRLF; neighbouring C lines leave as one group
 *     C+: text       the client sends the text without CRLF; \r \n \t \0 \\ \xHH and \(300*ab) are known
 *     S: text        the server's next line, exactly; `...` stands for any text
 *     S?: 250        the server's next reply, of any number of lines, with this code; `S?: 250 with TEXT`
 *                    has a line of just this text, `S?: 250 without WORD` none that begins with the word
 *     S: [tls]       the server starts TLS (which then is on); S: [closed]: it closes
 *     S: [deflate]   both sides compress from here on (not really, in a dialogue)
 *     S: [handed over]  it gives the connection away
 *     ! word         something happens: `end` (the client half-closes), `expire` (the deadline
 *                    passes), `answer` (a question that was held is answered), or an event that the protocol's test file knows
 *     M: text        the next line of what the role has taken (see the test file); without any M
 *                    line it is not looked at
 *
 * When a group was sent, all S lines up to the next C or ! line must have come, and none more.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import {
  isLent,
  type Session,
  type Sink,
  type Source,
  type TlsFacts,
  type Transform,
} from '../../src/wire/effect.ts'

export interface Dialogue {
  readonly name: string
  readonly directives: readonly (readonly string[])[]
  readonly steps: readonly Step[]
  readonly taken: readonly string[]
}

export type Step =
  | { readonly kind: 'send'; readonly octets: Buffer }
  | { readonly kind: 'event'; readonly word: string }
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'reply'; readonly wanted: string }

/** What a protocol's test file gives for one run of a dialogue. */
export interface Stage<Question, Answer, Event> {
  readonly session: (sink: Sink<Question, Answer>) => Session<Answer, Event>
  /** Answers like a role, always at once; the harness delays it where it tests that. */
  readonly answer: (question: Question) => Answer
  readonly content?: (octets: Uint8Array, from: number, to: number) => void
  /** Turns the word of a `!` line into an event. */
  readonly event?: (word: string) => Event
  /** What the role has taken, as M lines. */
  readonly taken?: () => readonly string[]
  /** True for questions that stay open until `! answer`. */
  readonly slow?: (question: Question) => boolean
  /** True for questions that are told, not asked: they are never answered later. */
  readonly told?: (question: Question) => boolean
}

export const tlsFacts: TlsFacts = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  verified: false,
}

export function parseDialogue(name: string, text: string): Dialogue {
  const directives: string[][] = []
  const steps: Step[] = []
  const taken: string[] = []
  let group: Buffer[] = []
  const flush = () => {
    if (group.length > 0) steps.push({ kind: 'send', octets: Buffer.concat(group) })
    group = []
  }
  for (const [index, line] of text.split('\n').entries()) {
    const [, mark, rest] = /^(#|@|C:|C\+:|S:|S\?:|!|M:) ?(.*)$/.exec(line) ?? []
    if (line.trim() === '' || mark === '#') continue
    assert.ok(mark !== undefined && rest !== undefined, `${name}:${index + 1}: ${line}`)
    if (mark === 'C:') group.push(Buffer.from(`${rest}\r\n`))
    else if (mark === 'C+:') group.push(spell(rest))
    else flush()
    if (mark === '@') directives.push(rest.split(' '))
    if (mark === '!') steps.push({ kind: 'event', word: rest })
    if (mark === 'S:') steps.push({ kind: 'line', text: rest })
    if (mark === 'S?:') steps.push({ kind: 'reply', wanted: rest })
    if (mark === 'M:') taken.push(rest)
  }
  flush()
  return { name, directives, steps, taken }
}

function spell(text: string): Buffer {
  const named: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '0': '\0' }
  const latin1 = Buffer.from(text).toString('latin1')
  const plain = latin1.replace(
    /\\(?:x([0-9a-fA-F]{2})|\((\d+)\*([^)]*)\)|(.))/gs,
    (_, hex?: string, count?: string, what?: string, letter?: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
      if (count !== undefined)
        return spell(what ?? '')
          .toString('latin1')
          .repeat(Number(count))
      return named[letter ?? ''] ?? letter ?? ''
    },
  )
  return Buffer.from(plain, 'latin1')
}

/** How octets are cut and answers delayed. */
export interface Manner {
  readonly name: string
  readonly cut: (octets: Buffer) => readonly Buffer[]
  readonly later: boolean
}

/** The manners every dialogue is run in; the random cuts come from a fixed seed. */
export function manners(seed: number): readonly Manner[] {
  const whole = (octets: Buffer) => [octets]
  const single = (octets: Buffer) => Array.from(octets, octet => Buffer.from([octet]))
  return [
    { name: 'whole', cut: whole, later: false },
    { name: 'whole, answered later', cut: whole, later: true },
    { name: 'octet by octet', cut: single, later: false },
    { name: `cut by seed ${seed}`, cut: cutter(seed), later: false },
    { name: `cut by seed ${seed + 1}, answered later`, cut: cutter(seed + 1), later: true },
  ]
}

function cutter(seed: number): (octets: Buffer) => readonly Buffer[] {
  let state = seed >>> 0
  return octets => {
    const pieces: Buffer[] = []
    for (let at = 0; at < octets.length; ) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      const length = 1 + ((state >>> 16) % 40)
      pieces.push(Buffer.from(octets.subarray(at, at + length)))
      at += length
    }
    return pieces
  }
}

/** The far side of a session in a test: gathers what it sends and answers for the role. */
class Theatre<Question, Answer, Event> {
  readonly lines: string[] = []
  readonly session: Session<Answer, Event>
  closed = false
  readonly #stage: Stage<Question, Answer, Event>
  readonly #later: boolean
  #open: Question | undefined
  #held: Question | undefined
  #half = ''
  /** Something was said since the session heard that all has left. */
  #owesDrained = false
  #sources: { source: Source; transform: Transform | undefined; tail: string }[] = []

  constructor(stage: Stage<Question, Answer, Event>, later: boolean) {
    this.#stage = stage
    this.#later = later
    this.session = stage.session({
      send: output => this.#said(typeof output === 'string' ? output : decode(output)),
      stream: (source, transform) => {
        assert.ok(!this.closed, 'streamed after closing')
        assert.ok(!isLent(source), 'a session streams octets')
        this.#owesDrained = true
        this.#sources.push({ source, transform, tail: '' })
      },
      ask: question => this.#ask(question),
      content: (octets, from, to) => stage.content?.(octets, from, to),
      secure: () => this.#said('[tls]\r\n'),
      compress: () => {
        assert.equal(this.session.backlogOctets, 0, 'something crosses into the compression')
        this.#said('[deflate]\r\n')
      },
      handOver: () => {
        assert.equal(this.session.backlogOctets, 0, 'something crosses the hand-over')
        this.#said('[handed over]\r\n')
        this.closed = true
      },
      close: () => {
        assert.ok(!this.closed, 'closed twice')
        this.#said('[closed]\r\n')
        this.closed = true
      },
    })
  }

  #ask(question: Question): Answer | undefined {
    if (this.#stage.slow?.(question)) {
      this.#held = question
      return undefined
    }
    if (!this.#later || this.#stage.told?.(question)) return this.#stage.answer(question)
    assert.equal(this.#open, undefined, 'two questions are open')
    this.#open = question
    return undefined
  }

  /** Answers the question that was held. */
  answer(): void {
    const question = this.#held
    assert.ok(question !== undefined, 'no question is open')
    this.#held = undefined
    this.session.answer(this.#stage.answer(question))
  }

  #said(text: string): void {
    assert.ok(!this.closed, `sent after closing: ${text}`)
    this.#owesDrained = true
    const waiting = this.#sources.at(-1)
    if (waiting !== undefined) waiting.tail += text
    else this.#half += text
    this.#cutLines()
  }

  #cutLines(): void {
    const lines = this.#half.split('\r\n')
    this.#half = lines.pop() ?? ''
    this.lines.push(...lines)
  }

  /** Answers what is open and streams what is to be streamed, until nothing more happens. */
  async settle(): Promise<void> {
    for (;;) {
      const question = this.#open
      const streamed = this.#sources.shift()
      if (streamed !== undefined) {
        this.#half += (await collect(streamed.source, streamed.transform)) + streamed.tail
        this.#cutLines()
      } else if (this.#owesDrained && !this.closed) {
        this.#owesDrained = false
        this.session.drained()
      } else if (question !== undefined) {
        this.#open = undefined
        this.session.answer(this.#stage.answer(question))
      } else return
    }
  }
}

async function collect(source: Source, transform: Transform | undefined): Promise<string> {
  const pieces: Uint8Array[] = []
  if (source instanceof Uint8Array) pieces.push(transform?.push(source) ?? source)
  else for await (const piece of source) pieces.push(transform?.push(piece) ?? piece)
  if (transform !== undefined) pieces.push(transform.end())
  return decode(Buffer.concat(pieces))
}

function decode(octets: Uint8Array): string {
  return Buffer.from(octets).toString('utf8')
}

/** Runs one dialogue in one manner. */
export async function play<Question, Answer, Event>(
  dialogue: Dialogue,
  manner: Manner,
  stage: Stage<Question, Answer, Event>,
): Promise<void> {
  const theatre = new Theatre(stage, manner.later)
  const { session, lines } = theatre
  session.start()
  await theatre.settle()
  const where = (at: number) => `${dialogue.name} (${manner.name}), step ${at + 1}`
  for (const [at, step] of dialogue.steps.entries()) {
    if (step.kind === 'line') {
      matchLine(lines.shift(), step.text, where(at))
      if (step.text === '[tls]') session.secured(tlsFacts)
      await theatre.settle()
      continue
    }
    if (step.kind === 'reply') {
      matchReply(lines, step.wanted, where(at))
      continue
    }
    assert.deepEqual(lines, [], `${where(at)}: more was said than the dialogue has`)
    if (step.kind === 'event') {
      if (step.word === 'end') session.end()
      else if (step.word === 'expire') session.expire()
      else if (step.word === 'answer') theatre.answer()
      else if (stage.event !== undefined) session.tell(stage.event(step.word))
      else assert.fail(`${where(at)}: unknown event ${step.word}`)
      await theatre.settle()
      continue
    }
    for (const piece of manner.cut(step.octets)) {
      // What is read is lent: a session that kept a view of it would read these.
      const lent = Buffer.from(piece)
      session.receive(lent)
      lent.fill('#')
      await theatre.settle()
    }
  }
  assert.deepEqual(lines, [], `${dialogue.name} (${manner.name}): more was said at the end`)
  if (dialogue.taken.length > 0) {
    assert.deepEqual(stage.taken?.() ?? [], dialogue.taken, `${dialogue.name} (${manner.name})`)
  }
}

function matchLine(actual: string | undefined, expected: string, where: string): void {
  const parts = expected.split('...')
  let at = 0
  let fits = actual?.startsWith(parts[0] ?? '') ?? false
  for (const [index, part] of parts.entries()) {
    if (!fits || actual === undefined) break
    if (index === parts.length - 1) {
      const from = index === 0 ? 0 : Math.max(at, actual.length - part.length)
      fits = actual.slice(from) === part
    } else {
      const found = actual.indexOf(part, at)
      fits = found >= 0
      at = found + part.length
    }
  }
  if (!fits) assert.equal(actual, expected, where)
}

function matchReply(lines: string[], wanted: string, where: string): void {
  const [, code, how, text = ''] = /^(\d{3})(?: (with|without) (.+))?$/.exec(wanted) ?? []
  const said: string[] = []
  for (;;) {
    const line = lines.shift()
    assert.equal(line?.slice(0, 3), code, `${where}: ${line}`)
    said.push(line?.slice(4) ?? '')
    if (line?.[3] !== '-') break
  }
  const found = said.some(line => (how === 'with' ? line : line.split(' ')[0]) === text)
  if (how !== undefined) assert.equal(found, how === 'with', `${where}: ${said.join(' | ')}`)
}

/** Makes one test of every dialogue in a folder; `stage` is called once for each run. */
export function playFolder<Question, Answer, Event>(
  folder: string,
  stage: (dialogue: Dialogue) => Stage<Question, Answer, Event>,
): void {
  const names = readdirSync(folder)
    .filter(name => name.endsWith('.txt'))
    .sort()
  for (const [index, file] of names.entries()) {
    const text = readFileSync(join(folder, file), 'utf8')
    const name = basename(file, '.txt').replaceAll('-', ' ')
    test(name, async () => {
      assert.match(
        text.split('\n')[0] ?? '',
        /^# .*(?:RFC \d+ §|X\w+_README)/,
        'the first line names the RFC',
      )
      const dialogue = parseDialogue(name, text)
      for (const manner of manners(1 + index * 2)) await play(dialogue, manner, stage(dialogue))
    })
  }
}
