/**
 * People who read while everything breaks: one by POP3 and one by IMAP, each his own mailbox, who compare every
 * message octet for octet and take it from the server. What was taken, and from which place, is kept: a message
 * that was acknowledged is with them or still there. Used by endure.ts.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Dialogue } from '../kit/dialogue.ts'
import type { DemoAccount, Server } from '../kit/server.ts'
import { numberOf } from './load.ts'

export class Taker {
  /** UIDVALIDITY and UID, with the number of the message that was read there. */
  readonly seen = new Map<string, number>()
  readonly #index: number
  readonly #by: 'pop3' | 'imap'
  #stopped = false
  #running: Promise<void> | undefined
  #broken: unknown

  constructor(index: number, by: 'pop3' | 'imap') {
    this.#index = index
    this.#by = by
  }

  start(server: Server): void {
    this.#stopped = false
    this.#running = this.#loop(server)
  }

  /** Rejects where a message was not what was sent. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
    if (this.#broken !== undefined) throw this.#broken
  }

  /** Reads all, and takes it away; rejects where the server cannot be read. */
  session(server: Server): Promise<void> {
    const account = server.account(this.#index)
    return this.#by === 'pop3' ? this.#pop3(server, account) : this.#imap(server, account)
  }

  async #loop(server: Server): Promise<void> {
    while (!this.#stopped && server.alive) {
      try {
        await this.session(server)
      } catch (error) {
        if (error instanceof assert.AssertionError) this.#broken ??= error
      }
      await sleep(100)
    }
  }

  #saw(place: string, message: Buffer): void {
    const number = numberOf(message)
    assert.ok(number !== undefined, `not octet for octet: ${message.toString('latin1', 0, 500)}`)
    const before = this.seen.get(place) ?? number
    assert.equal(number, before, `${place} was message ${before} and is ${number}`)
    this.seen.set(place, number)
  }

  async #pop3(server: Server, { address, password }: DemoAccount): Promise<void> {
    const dialogue = await server.connect('pop3s', { timeoutMs: 15_000 })
    const ask = async (line: string) => {
      const said = await dialogue.ask(line)
      if (!said.startsWith('+OK')) throw new Error(`${line}: ${said}`)
    }
    try {
      await dialogue.line()
      await ask(`USER ${address}`)
      await ask(`PASS ${password}`)
      await ask('UIDL')
      const listed = (await dialogue.multiline()).toString('latin1').trim()
      for (const line of listed === '' ? [] : listed.split('\r\n')) {
        const [number = '', place = ''] = line.split(' ')
        await ask(`RETR ${number}`)
        this.#saw(place, await dialogue.multiline())
        await ask(`DELE ${number}`)
      }
      await ask('QUIT')
    } finally {
      dialogue.end()
    }
  }

  async #imap(server: Server, { address, password }: DemoAccount): Promise<void> {
    const dialogue = await server.connect('imaps', { timeoutMs: 15_000 })
    try {
      await dialogue.line()
      await ended(dialogue, `LOGIN "${address}" "${password}"`)
      const selected = await ended(dialogue, 'SELECT INBOX')
      const validity = /UIDVALIDITY (\d+)/.exec(selected.join('\n'))?.[1]
      const uids: string[] = []
      await ended(dialogue, 'UID FETCH 1:* (UID BODY.PEEK[])', (uid, message) => {
        this.#saw(`${validity}.${uid}`, message)
        uids.push(uid)
      })
      if (uids.length === 0) return
      await ended(dialogue, `UID STORE ${uids.join(',')} +FLAGS.SILENT (\\Deleted)`)
      await ended(dialogue, `UID EXPUNGE ${uids.join(',')}`)
    } finally {
      dialogue.end()
    }
  }
}

/** Untagged lines of a command that was answered OK; messages of FETCH are handed on. */
async function ended(
  dialogue: Dialogue,
  command: string,
  message: (uid: string, octets: Buffer) => void = () => {},
): Promise<string[]> {
  await dialogue.send(`a ${command}\r\n`)
  const lines: string[] = []
  for (;;) {
    const line = await dialogue.line()
    if (line.startsWith('a OK')) return lines
    if (line.startsWith('a ')) throw new Error(`${command}: ${line}`)
    const [, uid, size] = /^\* \d+ FETCH \(UID (\d+) BODY\[\] \{(\d+)\}$/.exec(line) ?? []
    if (uid === undefined) {
      lines.push(line)
      continue
    }
    // What we send ends with a line end, and so does the literal.
    const pieces: Buffer[] = []
    for (let left = Number(size); left > 0; ) {
      const piece = Buffer.concat([await dialogue.octets(), Buffer.from('\r\n')])
      pieces.push(piece)
      left -= piece.length
    }
    message(uid, Buffer.concat(pieces))
    await dialogue.line()
  }
}
