/**
 * A mail server that takes everything and remembers it: the next hop of tests with the real process
 * (`--smarthost 127.0.0.1:PORT`). In this process, on a free port of the loopback, without TLS.
 */
import { createServer, type Server, type Socket } from 'node:net'

const END = Buffer.from('\r\n.\r\n')

export class Sink {
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Every message's octets as they came, dots unstuffed. */
  readonly messages: Buffer[] = []

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
    server.on('connection', socket => this.#serve(socket))
  }

  /** On a port of its own, or on one that another has left, of an address of the loopback. */
  static async open(port = 0, address = '127.0.0.1'): Promise<Sink> {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(port, address, resolve))
    const at = server.address()
    return new Sink(server, at !== null && typeof at === 'object' ? at.port : 0)
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #serve(socket: Socket): void {
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
        const verb = held.toString('latin1', 0, Math.min(end, 4)).toUpperCase()
        held = held.subarray(end + 2)
        // The line end of DATA itself counts as the first of CRLF.CRLF: kept in front.
        if (verb === 'DATA') content = [Buffer.from('\r\n')]
        if (verb === 'EHLO') socket.write('250-sink.example\r\n250-PIPELINING\r\n250 SIZE\r\n')
        else if (verb === 'DATA') socket.write('354 go\r\n')
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
