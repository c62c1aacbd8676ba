/**
 * A mail server that takes everything and remembers it: the next hop of tests with the real process
 * (`--smarthost 127.0.0.1:PORT`). In this process, on a free port of the loopback, without TLS.
 */
import { createServer, type Server, type Socket } from 'node:net'

const END = Buffer.from('\r\n.\r\n')

/** What it may do beside. */
export interface SinkOptions {
  /** Keywords of EHLO, with their parameters. */
  readonly extensions?: readonly string[]
  /** Recipients it does not take. */
  readonly refuses?: RegExp
}

export class Sink {
  readonly port: number
  readonly #server: Server
  readonly #options: SinkOptions
  readonly #sockets = new Set<Socket>()
  /** Every message's octets as they came, dots unstuffed. */
  readonly messages: Buffer[] = []

  private constructor(server: Server, port: number, options: SinkOptions) {
    this.#server = server
    this.port = port
    this.#options = options
    server.on('connection', socket => this.#serve(socket))
  }

  /** On a port of its own, or on one that another has left, of an address of the loopback. */
  static async open(port = 0, address = '127.0.0.1', options: SinkOptions = {}): Promise<Sink> {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(port, address, resolve))
    const at = server.address()
    return new Sink(server, at !== null && typeof at === 'object' ? at.port : 0, options)
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #serve(socket: Socket): void {
    const { extensions = [], refuses } = this.#options
    const keywords = ['sink.example', 'PIPELINING', ...extensions].map(each => `250-${each}\r\n`)
    const hello = `${keywords.join('')}250 SIZE\r\n`
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
    let held = Buffer.alloc(0)
    let content: Buffer[] | undefined
    const take = () => {
      for (;;) {
        if (content) {
          const whole = Buffer.concat([...content, held])
          const end = whole.indexOf(END)
          if (end === -1) {
            content = [whole]
            held = Buffer.alloc(0)
            return
          }
          this.messages.push(unstuffed(whole.subarray(2, end + 2)))
          held = whole.subarray(end + END.length)
          content = undefined
          socket.write('250 2.0.0 taken\r\n')
          continue
        }
        const end = held.indexOf('\r\n')
        if (end === -1) return
        const line = held.toString('latin1', 0, end)
        const verb = line.slice(0, 4).toUpperCase()
        held = held.subarray(end + 2)
        // The line end of DATA itself counts as the first of CRLF.CRLF: kept in front.
        if (verb === 'DATA') content = [Buffer.from('\r\n')]
        if (verb === 'EHLO') socket.write(hello)
        else if (verb === 'DATA') socket.write('354 go\r\n')
        else if (verb === 'RCPT' && refuses?.test(line)) socket.write('550 5.1.1 nobody\r\n')
        else if (verb === 'QUIT') socket.end('221 2.0.0 bye\r\n')
        else socket.write('250 2.0.0 yes\r\n')
      }
    }
    socket.on('data', octets => {
      if (content) {
        // Only a look at the seam: a large message is not searched again and again.
        content.push(octets)
        const seam = Buffer.concat([(content.at(-2) ?? Buffer.alloc(0)).subarray(-4), octets])
        if (!seam.includes(END)) return
        held = Buffer.alloc(0)
      } else held = Buffer.concat([held, octets])
      take()
    })
    socket.write('220 sink.example ESMTP\r\n')
  }
}

function unstuffed(octets: Buffer): Buffer {
  if (octets.indexOf('\r\n..') === -1 && octets[0] !== 46) return octets
  const text = octets.toString('latin1').replaceAll('\r\n..', '\r\n.')
  return Buffer.from(text.startsWith('.') ? text.slice(1) : text, 'latin1')
}
