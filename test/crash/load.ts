/**
 * Senders that never rest: numbered messages of several sizes over MX and submission, by DATA and
 * BDAT, each written down as acknowledged only once its 250 was read. What a number's content is can
 * be computed again, so that a whole mailbox is compared octet for octet without being kept twice.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Dialogue, DialogueEnded } from '../kit/dialogue.ts'

const KB = 1024

/** Who is sent to: a Postrider (kit/server.ts), or others (contestants.ts). */
export interface Target {
  readonly alive: boolean
  /** Greeted, EHLO or LHLO answered. */
  smtp(by: 'smtp' | 'lmtp'): Promise<Dialogue>
  /** The same at a door that relays. */
  submission(): Promise<Dialogue>
  account(index: number): { readonly address: string }
}

export interface LoadOptions {
  readonly senders: number
  /** The sizes of messages, one after another. */
  readonly sizes: readonly number[]
  /** The first number, 1 if not given: two loads at one mailbox must not share any. */
  readonly first?: number
  /** Every message by BDAT, in chunks of so many octets; every second one in two halves if not given. */
  readonly chunkOctets?: number
  /** Every third sender speaks LMTP. */
  readonly lmtp?: boolean
  /** Every fourth message goes to the first account; all to the second if not given. */
  readonly both?: boolean
  /** How long each sender rests behind a message, so that a quick test leaves the cores to others; 0 if not given. */
  readonly restMs?: number
  /** Where submission also sends: `n@remote.example` goes to the smart host. */
  readonly remote: boolean
}

export const MIXED_SIZES: readonly number[] = [
  ...Array<number>(12).fill(900),
  200 * KB,
  ...Array<number>(12).fill(3 * KB),
  130 * KB,
  ...Array<number>(12).fill(500),
  5 * KB * KB,
]

type By = 'smtp' | 'submission' | 'lmtp'

/** What a client knows of its messages. */
export interface Sent {
  /** 250 was read. */
  readonly acknowledged: Set<number>
  /** The same, of those that go to the outside as well. */
  readonly acknowledgedRemote: Set<number>
  /** The last octet was sent and no reply was read: it may be there, once, or not. */
  readonly doubtful: Set<number>
  /** The content was answered by 4xx: it is not there, or at most once where that was in doubt. */
  readonly deferred: Set<number>
  /** Replies of 4xx and 5xx by their text, with how often. */
  readonly refusals: Map<string, number>
}

export function nothingSent(): Sent {
  return {
    acknowledged: new Set(),
    acknowledgedRemote: new Set(),
    doubtful: new Set(),
    deferred: new Set(),
    refusals: new Map(),
  }
}

/** The content of a number: a header, then lines of several lengths, some with dots at their head. */
export function contentOf(number: number, sizeOctets: number): Buffer {
  const head = `X-Load: ${number} ${sizeOctets}\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <${number}@load.example>\r\nFrom: <joe@remote.example>\r\n\r\n`
  const line = (of: number) =>
    `${of % 7 === 0 ? '.'.repeat(of % 3) : ''}${number} ${of} ${'abcdefghij'.repeat((number + of) % 90)}\r\n`
  const pieces = [head]
  let octets = head.length
  for (let of = 0; octets < sizeOctets; of++) {
    const piece = line(of)
    pieces.push(piece)
    octets += piece.length
  }
  return Buffer.from(pieces.join(''), 'latin1')
}

/** Reads the number of a stored message and compares the rest; undefined where it is not whole. */
export function numberOf(message: Buffer): number | undefined {
  const at = message.indexOf('X-Load: ')
  if (at === -1) return undefined
  const found = /^X-Load: (\d+) (\d+)\r\n/.exec(message.toString('latin1', at, at + 60))
  if (!found) return undefined
  const number = Number(found[1])
  return contentOf(number, Number(found[2])).equals(message.subarray(at)) ? number : undefined
}

/** All senders at one server; numbers go on over restarts. */
export class Load {
  readonly sent = nothingSent()
  readonly #options: LoadOptions
  #next: number
  #running: Promise<void>[] = []
  #stopped = false

  constructor(options: LoadOptions) {
    this.#options = options
    this.#next = options.first ?? 1
  }

  sizeOf(number: number): number {
    const { sizes } = this.#options
    return contentOf(number, sizes[number % sizes.length] ?? KB).length
  }

  start(server: Target): void {
    this.#stopped = false
    this.#running = Array.from({ length: this.#options.senders }, (_, index) =>
      this.#sender(server, this.#doorOf(index)),
    )
  }

  /** Ends after the messages under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#running)
  }

  #doorOf(index: number): By {
    if (this.#options.lmtp === true && index % 3 === 2) return 'lmtp'
    return index % 2 === 0 ? 'smtp' : 'submission'
  }

  async #sender(server: Target, by: By): Promise<void> {
    const { restMs = 0 } = this.#options
    while (!this.#stopped) {
      try {
        const dialogue = by === 'submission' ? await server.submission() : await server.smtp(by)
        while (!this.#stopped) {
          await this.#one(server, dialogue, by)
          if (restMs > 0) await sleep(restMs)
        }
        dialogue.end()
      } catch (error) {
        if (!(error instanceof DialogueEnded) && !(error instanceof Error)) throw error
        if (!server.alive) return
        await sleep(20)
      }
    }
  }

  async #one(server: Target, dialogue: Dialogue, by: By): Promise<void> {
    const number = this.#next++
    const { sizes } = this.#options
    const content = contentOf(number, sizes[number % sizes.length] ?? KB)
    const remote = by === 'submission' && this.#options.remote && number % 3 === 0
    const sender = by === 'submission' ? server.account(0).address : 'joe@remote.example'
    const mailbox = this.#options.both === true && number % 4 === 0 ? 0 : 1
    const recipients = [
      server.account(mailbox).address,
      ...(remote ? [`n${number}@remote.example`] : []),
    ]
    const commands = [`MAIL FROM:<${sender}>`, ...recipients.map(r => `RCPT TO:<${r}>`)]
    await dialogue.send(`${commands.join('\r\n')}\r\n`)
    let refused = false
    for (const _ of commands) {
      const { code, text } = await dialogue.reply()
      if (code < 400) continue
      refused = true
      this.#refused(text)
    }
    if (refused) {
      await dialogue.command('RSET')
      await sleep(10)
      return
    }
    const { code, text } = await this.#content(dialogue, number, content)
    this.sent.doubtful.delete(number)
    if (code === 250) {
      this.sent.acknowledged.add(number)
      if (remote) this.sent.acknowledgedRemote.add(number)
    } else {
      this.sent.deferred.add(number)
      this.#refused(text)
      await dialogue.command('RSET')
      await sleep(10)
    }
  }

  /** It is in doubt from the moment on in which its end is sent: before, it may not be there. */
  async #content(dialogue: Dialogue, number: number, content: Buffer) {
    const { chunkOctets } = this.#options
    if (chunkOctets === undefined && number % 2 === 0) {
      const go = await dialogue.command('DATA')
      if (go.code !== 354) return go
      await dialogue.send(stuffed(content))
      this.sent.doubtful.add(number)
      await dialogue.send('.\r\n')
      return dialogue.reply()
    }
    const size = chunkOctets ?? content.length - (content.length >> 1)
    for (let at = 0; ; at += size) {
      const chunk = content.subarray(at, at + size)
      const last = at + size >= content.length
      await dialogue.send(`BDAT ${chunk.length}${last ? ' LAST' : ''}\r\n`)
      if (last) this.sent.doubtful.add(number)
      await dialogue.send(chunk)
      const reply = await dialogue.reply()
      if (last || reply.code !== 250) return reply
    }
  }

  #refused(text: string): void {
    const { refusals } = this.sent
    refusals.set(text, (refusals.get(text) ?? 0) + 1)
  }
}

/** RFC 5321 §4.5.2. */
function stuffed(content: Buffer): Buffer {
  return Buffer.from(content.toString('latin1').replaceAll('\r\n.', '\r\n..'), 'latin1')
}
