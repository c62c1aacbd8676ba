/**
 * The client's end of a connection in memory: speaks with a session of ours without any network. Used by the
 * self-test at start, and by `explain`, which ask what real peers would be answered.
 */
import type { Endpoint } from '../wire/effect.ts'
import { type Output, octetsIn } from '../wire/output.ts'
import type { Connection, ConnectionEvents } from '../world/net.ts'

export class MemoryClient implements Connection {
  readonly remote: Endpoint
  readonly local: Endpoint
  #events: ConnectionEvents | undefined
  #text = ''
  #over = false
  #waiting: ((reply: string) => void) | undefined

  constructor({ remote, local }: { readonly remote: Endpoint; readonly local: Endpoint }) {
    this.remote = remote
    this.local = local
  }

  open(events: ConnectionEvents): void {
    this.#events = events
  }

  release(): void {}

  write(output: Output | readonly Output[], left?: () => void): boolean {
    this.#text += Buffer.from(octetsIn(output)).toString('latin1')
    left?.()
    this.#tell()
    return true
  }

  /** The next whole reply, its lines with LF between them; '' where the session has ended. */
  reply(): Promise<string> {
    return new Promise(resolve => {
      this.#waiting = resolve
      this.#tell()
      if (this.#over) this.#waiting?.('')
    })
  }

  say(command: string): Promise<string> {
    if (this.#over) return Promise.resolve('')
    const reply = this.reply()
    this.#events?.received(Buffer.from(`${command}\r\n`))
    return reply
  }

  #tell(): void {
    const [whole] = /^(?:\d{3}-.*\r\n)*\d{3}(?: .*)?\r\n/.exec(this.#text) ?? []
    if (whole === undefined || !this.#waiting) return
    this.#text = this.#text.slice(whole.length)
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting(whole.trimEnd().replaceAll('\r\n', '\n'))
  }

  pause(): void {}
  resume(): void {}
  secure(): Promise<never> {
    return Promise.reject(new Error('no TLS in memory'))
  }
  end(): void {
    this.destroy()
  }
  destroy(): void {
    const events = this.#events
    this.#over = true
    this.#events = undefined
    this.#waiting?.('')
    events?.closed()
  }
}
