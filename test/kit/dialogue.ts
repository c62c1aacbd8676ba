/**
 * One line of conversation with a server, over a plain socket or TLS: what a person with telnet
 * would see. It knows lines, SMTP replies and POP3's multi-line answers, and checks nothing.
 */
import { connect as connectSocket, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

const LF = 10
const CRLF = Buffer.from('\r\n')

/** An SMTP reply: its code, and all of its lines. */
export interface Reply {
  readonly code: number
  readonly text: string
}

export interface DialogueOptions {
  readonly tls?: boolean
  /** The address of this machine to come from; 127.0.0.1 unless said. */
  readonly from?: string
  /** How long a line may take. */
  readonly timeoutMs?: number
}

interface Waiter {
  resolve(line: Buffer): void
  reject(error: Error): void
}

/** The peer is gone, or was silent for too long. */
export class DialogueEnded extends Error {}

export class Dialogue {
  socket: Socket
  readonly #timeoutMs: number
  #pieces: Buffer[] = []
  readonly #lines: Buffer[] = []
  /** What it said last: who hangs up has often said why. */
  #last: Buffer | undefined
  #waiter: Waiter | undefined
  #ended: Error | undefined
  #closing: Promise<void> | undefined

  private constructor(socket: Socket, timeoutMs: number) {
    this.socket = socket
    this.#timeoutMs = timeoutMs
    this.#listen()
  }

  /** Connects to a port of the loopback, or to a Unix socket by its path. */
  static async connect(place: number | string, options: DialogueOptions = {}): Promise<Dialogue> {
    const { from } = options
    const host = { host: '127.0.0.1', ...(from !== undefined && { localAddress: from }) }
    const plain =
      typeof place === 'number' ? connectSocket({ port: place, ...host }) : connectSocket(place)
    await event(plain, 'connect')
    const socket = options.tls ? connectTls({ socket: plain, rejectUnauthorized: false }) : plain
    if (socket !== plain) await event(socket, 'secureConnect')
    socket.setNoDelay(true)
    return new Dialogue(socket, options.timeoutMs ?? 20_000)
  }

  get gone(): boolean {
    return this.#ended !== undefined
  }

  /** Writes; resolves once the socket has taken it. Never rejects: what is lost shows in the reply. */
  send(output: string | Uint8Array): Promise<void> {
    return new Promise(resolve => {
      if (this.socket.destroyed) resolve()
      else this.socket.write(output, () => resolve())
    })
  }

  /** The next line without its end. Rejects with DialogueEnded. */
  async octets(): Promise<Buffer> {
    const line = this.#lines.shift()
    if (line) return line
    if (this.#ended) throw this.#ended
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => this.#waiter?.reject(new DialogueEnded('no line came in time')),
        this.#timeoutMs,
      )
      const settle = () => {
        clearTimeout(late)
        this.#waiter = undefined
      }
      this.#waiter = {
        resolve: octets => {
          settle()
          resolve(octets)
        },
        reject: error => {
          settle()
          reject(error)
        },
      }
    })
  }

  async line(): Promise<string> {
    return (await this.octets()).toString()
  }

  /** One SMTP reply, of however many lines. */
  async reply(): Promise<Reply> {
    const lines: string[] = []
    for (;;) {
      const line = await this.line()
      lines.push(line)
      if (line[3] !== '-') return { code: Number(line.slice(0, 3)), text: lines.join('\n') }
    }
  }

  /** Sends one SMTP command and reads its reply. */
  async command(command: string): Promise<Reply> {
    await this.send(`${command}\r\n`)
    return this.reply()
  }

  /** Sends one POP3 command and reads its status line. */
  async ask(command: string): Promise<string> {
    await this.send(`${command}\r\n`)
    return this.line()
  }

  /** A POP3 multi-line answer behind its status line: octets with CRLF, dots unstuffed. */
  async multiline(): Promise<Buffer> {
    const lines: Buffer[] = []
    for (;;) {
      const line = await this.octets()
      if (line.length === 1 && line[0] === 46) return Buffer.concat(lines)
      lines.push(line[0] === 46 ? line.subarray(1) : line, CRLF)
    }
  }

  /** Goes on under TLS, after the server has said yes to STARTTLS or STLS. */
  async secure(): Promise<void> {
    this.socket.removeAllListeners('data')
    const secured = connectTls({ socket: this.socket, rejectUnauthorized: false })
    await event(secured, 'secureConnect')
    this.socket = secured
    this.#listen()
  }

  /** Resolves when the server has closed. */
  closed(): Promise<void> {
    if (this.socket.closed) return Promise.resolve()
    this.#closing ??= new Promise(resolve => this.socket.once('close', () => resolve()))
    return this.#closing
  }

  /** Hangs up with a reset. */
  reset(): void {
    if ('resetAndDestroy' in this.socket && !('encrypted' in this.socket)) {
      this.socket.resetAndDestroy()
    } else this.socket.destroy()
  }

  end(): void {
    this.socket.destroy()
  }

  #listen(): void {
    const { socket } = this
    socket.on('data', (octets: Buffer) => this.#take(octets))
    socket.on('error', () => {})
    socket.on('close', () => this.#end())
    socket.on('end', () => this.#end())
  }

  #take(octets: Buffer): void {
    let from = 0
    for (let at = octets.indexOf(LF); at !== -1; at = octets.indexOf(LF, from)) {
      const end = octets.subarray(from, at)
      // Megabytes of lines come this way: what came whole is not copied.
      const line = this.#pieces.length === 0 ? end : Buffer.concat([...this.#pieces, end])
      this.#pieces = []
      from = at + 1
      const whole = line.at(-1) === 13 ? line.subarray(0, -1) : line
      this.#last = whole
      if (this.#waiter) this.#waiter.resolve(whole)
      else this.#lines.push(whole)
    }
    if (from < octets.length) this.#pieces.push(octets.subarray(from))
  }

  #end(): void {
    const said =
      this.#last === undefined
        ? 'without a word'
        : `behind ${this.#last.toString('latin1', 0, 200)}`
    this.#ended ??= new DialogueEnded(`the server has closed, ${said}`)
    this.#waiter?.reject(this.#ended)
  }
}

function event(socket: Socket, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', error => reject(new DialogueEnded(error.message)))
    socket.once('close', () => reject(new DialogueEnded(`closed before ${name}`)))
    socket.once(name, () => resolve())
  })
}
