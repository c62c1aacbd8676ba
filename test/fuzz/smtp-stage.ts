/**
 * A server session on a stage of its own: octets in, in pieces of any sizes; replies and messages out.
 * Policy answers by the local part of the address (`later` 450, `bad` 550), at once or a moment later.
 * It holds the session to what must be true whatever comes: no throw, whole lines, bounded memory.
 */
import assert from 'node:assert/strict'
import { accept, defer, refuse, type Verdict } from '../../src/mail/verdict.ts'
import type { Answer, Question, SessionSettings } from '../../src/smtp/server/question.ts'
import { ServerSession } from '../../src/smtp/server/session.ts'
import type { Sink } from '../../src/wire/effect.ts'
import { sessionEnds } from '../kit/smtp-settings.ts'
import { tlsFacts } from '../transcript/harness.ts'

export const PASSWORD = 'secret'

export class SmtpStage implements Sink<Question, Answer> {
  readonly session: ServerSession
  readonly messages: string[] = []
  closed = false
  /** TLS was asked for and is not on yet. */
  securing = false
  readonly #later: boolean
  #open: Question | undefined
  #said = ''
  #content: string[] = []

  constructor(settings: SessionSettings, later: boolean) {
    this.#later = later
    this.session = new ServerSession(this, settings, sessionEnds)
    this.session.start()
    this.#settle()
  }

  /** Sends octets in pieces of these sizes, over and over. */
  say(octets: Buffer, cuts: readonly number[]): void {
    for (let at = 0, i = 0; at < octets.length && !this.closed; i++) {
      const size = cuts.length === 0 ? octets.length : (cuts[i % cuts.length] as number)
      this.session.receive(octets.subarray(at, at + size))
      this.#settle()
      at += size
    }
    assert.ok(this.session.backlogOctets <= 65_536, 'what is not used up is bounded')
  }

  secured(): void {
    this.securing = false
    this.session.secured(tlsFacts)
    this.#settle()
  }

  /** The replies since the last call, each whole. */
  replies(): readonly string[] {
    const lines = this.#said.split('\r\n')
    this.#said = lines.pop() ?? ''
    assert.equal(this.#said, '', 'a reply ends with its line')
    for (const line of lines) assert.match(line, /^[2-5]\d\d[ -][^\r\n\0]{0,508}$/)
    return lines.filter(line => line[3] === ' ')
  }

  /** All that was said since the last call, as it is. */
  taken(): Buffer {
    const said = Buffer.from(this.#said)
    this.#said = ''
    return said
  }

  send(output: string | Uint8Array): void {
    assert.ok(!this.closed, 'nothing is said behind the end')
    this.#said += typeof output === 'string' ? output : Buffer.from(output).toString()
  }

  stream(): void {
    throw new Error('a server session streams nothing')
  }

  ask(question: Question): Answer | undefined {
    if (question.kind === 'abandon') this.#content = []
    if (question.kind === 'abandon' || !this.#later) return this.#answer(question)
    assert.equal(this.#open, undefined, 'one question at a time')
    this.#open = question
    return undefined
  }

  content(octets: Uint8Array, from: number, to: number): void {
    this.#content.push(Buffer.from(octets.subarray(from, to)).toString('latin1'))
  }

  secure(): void {
    this.securing = true
  }

  compress(): void {}

  handOver(): void {
    this.close()
  }

  close(): void {
    assert.ok(!this.closed, 'closed once')
    this.closed = true
  }

  /** All that follows, as the pump has it: answers, and that all was taken, as long as more is said. */
  #settle(): void {
    for (let before = -1; before !== this.#said.length || this.#open !== undefined; ) {
      before = this.#said.length
      for (let open = this.#open; open !== undefined; open = this.#open) {
        this.#open = undefined
        this.session.answer(this.#answer(open))
      }
      if (!this.closed) this.session.drained()
    }
  }

  #answer(question: Question): Answer {
    switch (question.kind) {
      case 'mail':
        return verdictFor(question.sender.reversePath?.local ?? '')
      case 'rcpts':
        return question.recipients.map(({ forwardPath }) => verdictFor(forwardPath.local))
      case 'login': {
        const { question: asked } = question
        const right = asked.kind === 'password' && asked.password === PASSWORD
        return right
          ? { kind: 'account', account: { id: 1, address: asked.username } }
          : { kind: 'denied', why: 'wrong' }
      }
      case 'accept': {
        this.messages.push(this.#content.join(''))
        this.#content = []
        return question.envelope.recipients.map(() => accept())
      }
      default:
        return accept()
    }
  }
}

function verdictFor(local: string): Verdict {
  if (local === 'later') return defer(450, '7.1', 'later')
  return local === 'bad' ? refuse(550, '1.1', 'nobody') : accept()
}
