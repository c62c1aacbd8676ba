/** What sessions are played with: their dialogues as inputs, a sink that hears all, and a pump of a few lines. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import type { Session, Sink, Source, Transform } from '../../../src/wire/effect.ts'
import { parseDialogue, tlsFacts } from '../../transcript/harness.ts'

export const endpoint = { address: '192.0.2.1', port: 40_000 }
export const peer = { remote: endpoint, local: endpoint }

/** What clients say in the written dialogues of a protocol, each as one input. */
export function dialogues(folder: string, mostOctets: number): Buffer[] {
  const place = new URL(`../../transcript/${folder}/`, import.meta.url)
  return readdirSync(place)
    .sort()
    .map(name => parseDialogue(name, readFileSync(new URL(name, place), 'utf8')))
    .map(({ steps }) =>
      Buffer.concat(steps.flatMap(step => (step.kind === 'send' ? [step.octets] : []))),
    )
    .filter(({ length }) => length > 0 && length <= mostOctets)
}

/** A sink for sessions without content: gathers what is said. */
export class Ear<Q, A> implements Sink<Q, A> {
  said = ''
  octets = 0
  closed = false
  /** Called where the session wants TLS. */
  securing = false
  readonly #answer: (question: Q) => A | undefined

  constructor(answer: (question: Q) => A | undefined) {
    this.#answer = answer
  }

  send(output: string | Uint8Array): void {
    assert.ok(!this.closed, 'nothing is said behind the end')
    const text = typeof output === 'string' ? output : Buffer.from(output).toString('latin1')
    this.octets += text.length
    if (this.said.length < 1_000_000) this.said += text
  }

  stream(source: Source, transform?: Transform): void {
    if (!(source instanceof Uint8Array)) return
    this.send(transform ? transform.push(source) : source)
    if (transform) this.send(transform.end())
  }

  ask(question: Q): A | undefined {
    return this.#answer(question)
  }

  content(): void {}
  secure(): void {
    this.securing = true
  }
  compress(): void {}
  handOver(): void {
    this.closed = true
  }
  close(): void {
    this.closed = true
  }
}

export const BACKLOG_MAX_OCTETS = 65_536

/** Octets in pieces; after each all that follows from it. */
export function hear(
  session: Session<never>,
  sink: { readonly closed: boolean; readonly octets: number; securing: boolean },
  input: Buffer,
  size: number,
  most = BACKLOG_MAX_OCTETS,
): void {
  for (let at = 0; at < input.length && !sink.closed; at += size) {
    if (sink.securing) {
      sink.securing = false
      session.secured(tlsFacts)
    }
    session.receive(input.subarray(at, at + size))
    // As the pump has it: that all was taken is told as often as something was said.
    for (let before = -1; before !== sink.octets && !sink.closed; ) {
      before = sink.octets
      session.drained()
    }
    // More than is read from a socket at once waits for nobody.
    if (input.length <= BACKLOG_MAX_OCTETS)
      assert.ok(session.backlogOctets <= most, `${session.backlogOctets} octets wait`)
  }
}
