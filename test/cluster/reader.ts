/**
 * Somebody who reads one mailbox by POP3 at whatever node answers, compares every message octet for octet,
 * and removes some. What it saw under each UIDL is kept: a UIDL that comes back with another message would
 * be a UID given twice, and a number under two UIDLs a message delivered twice.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { numberOf } from '../crash/load.ts'
import type { Server } from '../kit/server.ts'

export class Reader {
  /** Each UIDL ever seen, with the number of its message. */
  readonly seen = new Map<string, number>()
  /** Sessions that found the maildrop in the hands of another. */
  inUse = 0
  #stopped = false
  #running: Promise<void> | undefined

  /** Reads now here, now there, until it is stopped. @param nodes those that are up at the moment */
  start(nodes: () => readonly Server[]): void {
    this.#stopped = false
    this.#running = this.#loop(nodes)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  /** One session: reads all that is new and removes every other one; true where it came to its end. */
  async session(server: Server): Promise<boolean> {
    const dialogue = await server.connect('pop3s', { timeoutMs: 15_000 })
    try {
      await dialogue.line()
      await dialogue.ask(`USER ${server.account(1).address}`)
      const status = await dialogue.ask(`PASS ${server.account(1).password}`)
      if (status.includes('IN-USE')) this.inUse++
      if (!status.startsWith('+OK')) return false
      await dialogue.ask('UIDL')
      const list = (await dialogue.multiline()).toString('latin1').trim()
      for (const line of list === '' ? [] : list.split('\r\n')) {
        const [number = '', uidl = ''] = line.split(' ')
        await this.#one(dialogue, number, uidl)
      }
      return (await dialogue.ask('QUIT')).startsWith('+OK')
    } finally {
      dialogue.end()
    }
  }

  async #one(
    dialogue: Awaited<ReturnType<Server['connect']>>,
    place: string,
    uidl: string,
  ): Promise<void> {
    if (!this.seen.has(uidl) || Number(place) % 8 === 0) {
      const status = await dialogue.ask(`RETR ${place}`)
      if (!status.startsWith('+OK')) return
      const message = await dialogue.multiline()
      const number = numberOf(message)
      assert.ok(number !== undefined, `not octet for octet: ${message.toString('latin1', 0, 400)}`)
      const before = this.seen.get(uidl) ?? number
      assert.equal(number, before, `UIDL ${uidl} stood for message ${before}, now for ${number}`)
      this.seen.set(uidl, number)
    }
    if (Number(place) % 2 === 0) await dialogue.ask(`DELE ${place}`)
  }

  async #loop(nodes: () => readonly Server[]): Promise<void> {
    for (let turn = 0; !this.#stopped; turn++) {
      const up = nodes()
      const server = up[turn % Math.max(1, up.length)]
      try {
        if (server) await this.session(server)
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error
      }
      await sleep(150)
    }
  }
}
