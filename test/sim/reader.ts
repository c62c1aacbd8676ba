/**
 * A mail program that reads by IMAP over the simulated network, as plain as can be: it says commands, gives what was
 * told, and can wait for something to be told by itself.
 */

import type { Connection } from '../../src/world/net.ts'
import type { Host } from '../../src/world/sim/index.ts'
import { passwordOf } from './residents.ts'
import type { MailServer } from './server.ts'

export class Reader {
  readonly #connection: Connection
  #heard = ''
  #wake: () => void = () => {}
  #tags = 0

  private constructor(connection: Connection) {
    this.#connection = connection
    connection.open({
      received: octets => {
        this.#heard += Buffer.from(octets).toString('latin1')
        this.#wake()
      },
      ended: () => {},
      drained: () => {},
      closed: () => {},
    })
  }

  /** Logged in over TLS. */
  static async open(host: Host, server: MailServer, address: string): Promise<Reader> {
    const { world } = host
    const to = { address: server.host.addresses[0] as string, port: 993, timeoutMs: 30_000 }
    const connection = await world.net.connect(to)
    await connection.secure({ side: 'client', servername: server.name, trust: 'verify' })
    const reader = new Reader(connection)
    await reader.told(/^\* OK /m)
    await reader.say(`LOGIN ${address} "${passwordOf(address)}"`)
    return reader
  }

  /** All that is told up to the end of a line that matches. */
  async told(mark: RegExp): Promise<string> {
    for (;;) {
      const at = this.#heard.search(mark)
      const end = this.#heard.indexOf('\n', at) + 1
      if (at >= 0 && end > 0) {
        const told = this.#heard.slice(0, end)
        this.#heard = this.#heard.slice(end)
        return told.replaceAll('\r\n', '\n')
      }
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  /** Throws where the answer is not OK. */
  async say(command: string): Promise<string> {
    const tag = `a${++this.#tags}`
    this.#connection.write(`${tag} ${command}\r\n`)
    const told = await this.told(new RegExp(`^${tag} `, 'm'))
    if (!new RegExp(`^${tag} OK`, 'm').test(told)) throw new Error(`${command}: ${told}`)
    return told
  }

  /** Begins IDLE; it ends by `done`. */
  async idle(): Promise<void> {
    this.#connection.write(`i${++this.#tags} IDLE\r\n`)
    await this.told(/^\+ /m)
  }

  async done(): Promise<string> {
    this.#connection.write('DONE\r\n')
    return this.told(new RegExp(`^i${this.#tags} OK`, 'm'))
  }

  close(): void {
    this.#connection.destroy()
  }
}
