/** A name server for the bench: answers MX and A for the domains it is told of, and nothing else. */
import { createSocket } from 'node:dgram'

export interface Names {
  readonly port: number
  stop(): Promise<void>
}

const [A, MX] = [1, 15]

/** @param addressOf the IPv4 address of the one mail host of a domain */
export function startNames(addressOf: (domain: string) => string): Promise<Names> {
  const socket = createSocket('udp4')
  socket.on('message', (asked, from) => {
    const { name, type, end } = questionOf(asked)
    const host = name.startsWith('mx.')
    const answers =
      type === MX && !host
        ? [answer(MX, mxData(name))]
        : type === A && host
          ? [answer(A, Buffer.from(addressOf(name.slice(3)).split('.').map(Number)))]
          : []
    const head = Buffer.from(asked.subarray(0, 12))
    // A response with recursion, one question, and so many answers (RFC 1035 §4.1.1).
    head.writeUInt16BE(0x8180, 2)
    head.writeUInt16BE(answers.length, 6)
    head.writeUInt32BE(0, 8)
    socket.send(Buffer.concat([head, asked.subarray(12, end), ...answers]), from.port, from.address)
  })
  return new Promise(resolve => {
    socket.bind(0, '127.0.0.1', () =>
      resolve({
        port: socket.address().port,
        stop: () => new Promise(done => socket.close(() => done())),
      }),
    )
  })
}

function questionOf(packet: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = packet[at] ?? 0; length > 0; length = packet[at] ?? 0) {
    labels.push(packet.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: packet.readUInt16BE(at + 1), end: at + 5 }
}

/** An answer to the name of the question, which stands at octet 12. */
function answer(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt16BE(0xc00c, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(300, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

function mxData(domain: string): Buffer {
  const labels = `mx.${domain}`.split('.').map(label => {
    const text = Buffer.from(label, 'latin1')
    return Buffer.concat([Buffer.from([text.length]), text])
  })
  return Buffer.concat([Buffer.from([0, 10]), ...labels, Buffer.from([0])])
}
