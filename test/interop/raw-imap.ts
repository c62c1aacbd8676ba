/**
 * An IMAP client as plain as can be that shares no code with the server: it says a command and gives what was
 * told, one character an octet. For filling mailboxes, and for looking at what other clients have done.
 */
import { connect, type TLSSocket } from 'node:tls'
import type { DemoAccount, Server } from '../kit/server.ts'

export interface Listed {
  readonly uid: number
  /** Sorted. */
  readonly flags: string
}

export class RawImap {
  readonly #socket: TLSSocket
  #heard = ''
  #wake: () => void = () => undefined
  #ended = false
  #tags = 0

  private constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (text: string) => {
      this.#heard += text
      this.#wake()
    })
    const end = () => {
      this.#ended = true
      this.#wake()
    }
    this.#socket.on('error', end).on('close', end)
  }

  /** Logged in, a mailbox open. */
  static async open(server: Server, account: DemoAccount, mailbox = 'INBOX'): Promise<RawImap> {
    const imap = new RawImap(server.port('imaps'))
    await imap.say(`LOGIN ${account.address} ${account.password}`)
    await imap.say(`SELECT ${mailbox}`)
    return imap
  }

  /** Throws where the answer is not OK. */
  async say(command: string): Promise<string> {
    const tag = `r${++this.#tags}`
    this.#socket.write(`${tag} ${command}\r\n`, 'latin1')
    for (;;) {
      const at = this.#heard.search(new RegExp(`^${tag} .*\r\n`, 'm'))
      if (at >= 0) {
        const told = this.#heard.slice(0, this.#heard.indexOf('\n', at) + 1)
        this.#heard = this.#heard.slice(told.length)
        if (!told.slice(at).startsWith(`${tag} OK`)) throw new Error(`${command}: ${told}`)
        return told
      }
      if (this.#ended) throw new Error(`the connection ended: ${this.#heard}`)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  async append(mailbox: string, content: string, flags = ''): Promise<void> {
    await this.say(`APPEND ${mailbox} (${flags}) {${content.length}+}\r\n${content}`)
  }

  async listed(): Promise<Listed[]> {
    const told = await this.say('FETCH 1:* (UID FLAGS)').catch(() => '')
    return Array.from(told.matchAll(/UID (\d+) FLAGS \(([^)]*)\)/g), ([, uid, flags = '']) => ({
      uid: Number(uid),
      flags: flags.split(' ').sort().join(' '),
    }))
  }

  close(): void {
    this.#socket.destroy()
  }
}
