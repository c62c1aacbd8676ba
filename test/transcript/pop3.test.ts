/**
 * Replays test/transcript/pop3/*.txt against the server session: whole, octet by octet, randomly cut,
 * and with every answer of policy coming late. The format:
 *
 *   @ messages none | NAME...     the maildrop: 'one' and 'two' (below) if not said, or sizes in octets
 *   @ set NAME VALUE              a session setting
 *   @ tls                         implicit TLS
 *   @ open|commit|retrieve KIND [CODE]   what policy answers instead of yes
 *   C: text                       a line with CRLF; neighbours are pipelined in one write
 *   C< text                       octets without a line end; \r \n \0 \t \xNN \\ are escapes in both
 *   S: text                       a line, exactly;  S~ text: a line that begins so
 *   == tls | closed | open | deleted 1 2 | deleted nothing | lost
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Scripted, tls } from '../../src/pop3/scripted.ts'
import type { Answer, SessionSettings } from '../../src/pop3/server/question.ts'

const messages: Readonly<Record<string, string>> = {
  one: 'Subject: one\r\n\r\nHello\r\n',
  two: 'Subject: two\r\nFrom: joe@example.org\r\n\r\n.dot\r\n..\r\n\r\nlast\r\n',
  headless: '\r\nbody\r\nmore\r\n',
  bodiless: 'Subject: no body\r\n',
  empty: '',
}

type Cutting = 'whole' | 'octets' | 'random' | 'late'

class Replay {
  readonly #play: Scripted
  readonly #cutting: Cutting
  #pending = ''
  #got: string[] = []
  #chance = 1

  constructor(lines: readonly string[], cutting: Cutting) {
    let maildrop = [messages['one'] as string, messages['two'] as string]
    const changes: Record<string, unknown> = {}
    let secured = false
    const answers: (readonly [string, Answer])[] = []
    for (const line of lines.filter(text => text.startsWith('@ '))) {
      const [what, ...rest] = line.slice(2).split(' ')
      if (what === 'messages') maildrop = rest[0] === 'none' ? [] : rest.map(messageOf)
      else if (what === 'tls') secured = true
      else if (what === 'set') changes[rest[0] as string] = JSON.parse(rest.slice(1).join(' '))
      else
        answers.push([what as string, { kind: rest[0], code: rest[1], why: 'because' } as Answer])
    }
    this.#play = new Scripted(maildrop, changes as Partial<SessionSettings>, secured)
    for (const [what, answer] of answers) {
      if (what === 'open') this.#play.openAnswer = answer
      else if (what === 'commit') this.#play.commitAnswer = answer
      else if (what === 'retrieve') this.#play.retrieveAnswer = answer
      else throw new Error(`no such answer: ${what}`)
    }
    this.#cutting = cutting
    this.#play.later = cutting === 'late'
  }

  async run(lines: readonly string[]): Promise<void> {
    this.#play.session.start()
    await this.#hear()
    for (const line of lines) {
      if (line === '' || line.startsWith('#') || line.startsWith('@ ')) continue
      const text = unescaped(line.slice(3))
      if (line.startsWith('C:')) this.#pending += `${text}\r\n`
      else if (line.startsWith('C<')) this.#pending += text
      else {
        await this.#say()
        if (line.startsWith('S:')) assert.equal(this.#got.shift(), text)
        else if (line.startsWith('S~')) {
          const got = this.#got.shift() ?? '(nothing)'
          assert.ok(got.startsWith(text), `${got} begins with ${text}`)
        } else this.#fact(line)
      }
    }
    await this.#say()
    assert.deepEqual(this.#got, [], 'nothing else was said')
  }

  #fact(line: string): void {
    const play = this.#play
    const fact = line.slice(3)
    if (fact === 'closed') assert.ok(play.closed, 'closed')
    else if (fact === 'open') assert.ok(!play.closed, 'open')
    else if (fact === 'lost') play.session.end()
    else if (fact === 'tls') {
      assert.ok(play.securing, 'TLS was begun')
      play.session.secured(tls)
    } else if (fact.startsWith('deleted ')) {
      const commit = play.asked.find(question => question.kind === 'commit')
      const uids = commit?.kind === 'commit' ? commit.uids.join(' ') : 'nothing'
      assert.equal(uids, fact.slice(8))
    } else throw new Error(`no such fact: ${line}`)
  }

  async #say(): Promise<void> {
    if (this.#pending === '') return
    const octets = Buffer.from(this.#pending, 'latin1')
    this.#pending = ''
    for (let from = 0; from < octets.length; ) {
      const to = from + this.#cut(octets.length - from)
      this.#play.session.receive(octets.subarray(from, to))
      if (this.#cutting !== 'whole') await this.#hear()
      from = to
    }
    await this.#hear()
  }

  #cut(left: number): number {
    if (this.#cutting === 'octets') return 1
    if (this.#cutting !== 'random') return left
    this.#chance = (this.#chance * 48_271) % 2_147_483_647
    return Math.min(left, 1 + (this.#chance % 9))
  }

  /** Gathers what was said, late answers given, until nothing more comes. */
  async #hear(): Promise<void> {
    let text = await this.#play.flush()
    for (let asked = 0; this.#play.later && asked < this.#play.asked.length; ) {
      asked = this.#play.asked.length
      this.#play.reply()
      text += await this.#play.flush()
    }
    assert.ok(text === '' || text.endsWith('\r\n'), 'every reply is whole')
    this.#got.push(...text.split('\r\n').slice(0, -1))
  }
}

function messageOf(name: string): string {
  const size = Number(name)
  if (Number.isNaN(size)) return messages[name] ?? ''
  const header = 'Subject: sized\r\n\r\n'
  return `${header}${'x'.repeat(size - header.length - 2)}\r\n`
}

function unescaped(text: string): string {
  return text.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex: string | undefined, short: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    return { r: '\r', n: '\n', t: '\t', '0': '\0' }[short] ?? short
  })
}

const folder = new URL('./pop3/', import.meta.url)
const cuttings: readonly Cutting[] = ['whole', 'octets', 'random', 'late']

for (const file of readdirSync(folder).filter(name => name.endsWith('.txt'))) {
  const lines = readFileSync(new URL(file, folder), 'utf8').split('\n')
  test(file.slice(0, -4).replaceAll('-', ' '), async t => {
    for (const cutting of cuttings) {
      await t.test(cutting, () => new Replay(lines, cutting).run(lines))
    }
  })
}
