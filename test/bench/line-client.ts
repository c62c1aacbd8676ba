/**
 * A client that costs next to nothing, so that a server is measured and not its client: it writes a line
 * and counts octets until a mark stands at the start of a line. For IMAP, POP3, LMTP and SMTP.
 */
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

const TAIL_OCTETS = 8_192

export class LineClient {
  #socket: Socket
  #tail = ''
  #octets = 0
  #mark: RegExp | undefined
  #done: ((line: string) => void) | undefined
  #failed: ((error: Error) => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#listen()
  }

  /** Connects, over TLS where that is said, and waits for the greeting that the mark matches. */
  static async open(port: number, greeting: RegExp, secure = false): Promise<LineClient> {
    const to = { port, host: '127.0.0.1', noDelay: true }
    const client = new LineClient(
      secure ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to),
    )
    await client.#until(greeting)
    return client
  }

  /** Octets heard since the last command. */
  get octets(): number {
    return this.#octets
  }

  /** Says something and waits for the line that ends its answer, which it gives. */
  say(text: string | Uint8Array, mark: RegExp): Promise<string> {
    this.#octets = 0
    this.#tail = ''
    const answered = this.#until(mark)
    this.#socket.write(text)
    return answered
  }

  /** TLS from here on, the server having said yes to STARTTLS. */
  async secure(): Promise<void> {
    const plain = this.#socket.removeAllListeners('data')
    const socket = connectTls({ socket: plain, rejectUnauthorized: false })
    this.#socket = socket
    this.#listen()
    await new Promise<void>((resolve, reject) => {
      this.#failed = reject
      socket.once('secureConnect', resolve)
    })
    this.#failed = undefined
  }

  /** Waits for a line that comes by itself. */
  hear(mark: RegExp): Promise<string> {
    this.#tail = ''
    return this.#until(mark)
  }

  close(): void {
    this.#failed = undefined
    this.#socket.destroy()
  }

  #listen(): void {
    this.#socket.on('data', octets => this.#heard(octets))
    this.#socket.on('error', error => this.#failed?.(error))
    this.#socket.on('close', () =>
      this.#failed?.(new Error(`the server has closed: ${this.#tail}`)),
    )
  }

  #until(mark: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#mark = mark
      this.#done = resolve
      this.#failed = reject
      this.#look()
    })
  }

  /** Only the end of what came is kept: an answer ends with its last line. */
  #heard(octets: Buffer): void {
    this.#octets += octets.length
    const end = octets.subarray(-TAIL_OCTETS).toString('latin1')
    this.#tail = octets.length >= TAIL_OCTETS ? end : (this.#tail + end).slice(-TAIL_OCTETS)
    this.#look()
  }

  #look(): void {
    if (this.#mark === undefined || !this.#tail.endsWith('\r\n')) return
    const from = this.#tail.lastIndexOf('\n', this.#tail.length - 2) + 1
    const last = this.#tail.slice(from, -2)
    if (!this.#mark.test(last)) return
    this.#mark = undefined
    this.#failed = undefined
    this.#done?.(last)
  }
}
