/**
 * A name server for the bench and for tests with the real process: answers MX and A for the domains it is told of,
 * and nothing else, as it is in the mood to. By UDP, and by TCP where that is too little.
 */
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

export interface Names {
  readonly port: number
  stop(): Promise<void>
}

const [A, MX] = [1, 15]

/** How a question is answered: rightly, not at all, by SERVFAIL, by the host of another, or by a thousand hosts of which one is right. */
export type Mood = 'well' | 'silent' | 'failing' | 'lying' | 'thousand'

/** @param addressOf the IPv4 address of the one mail host of a domain; undefined where it has none */
export async function startNames(
  addressOf: (domain: string) => string | undefined,
  mood: () => Mood = () => 'well',
): Promise<Names> {
  const socket = createSocket('udp4')
  const server = createServer(connection => {
    connection.on('error', () => {})
    connection.once('data', octets => {
      const said = answerTo(octets.subarray(2), addressOf, mood(), Number.POSITIVE_INFINITY)
      if (said === undefined) return
      const length = Buffer.alloc(2)
      length.writeUInt16BE(said.length)
      connection.end(Buffer.concat([length, said]))
    })
  })
  socket.on('message', (asked, from) => {
    const said = answerTo(asked, addressOf, mood(), UDP_MAX)
    if (said !== undefined) socket.send(said, from.port, from.address)
  })
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve))
  const { port } = socket.address()
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  return {
    port,
    stop: async () => {
      server.close()
      await new Promise<void>(done => socket.close(done))
    },
  }
}

/** RFC 1035 §4.2.1; what is longer is asked for again by TCP. */
const UDP_MAX = 512
const THOUSAND = 1_000
const [SERVFAIL, TRUNCATED] = [2, 0x0200]

function answerTo(
  asked: Buffer,
  addressOf: (domain: string) => string | undefined,
  mood: Mood,
  most: number,
): Buffer | undefined {
  if (mood === 'silent') return undefined
  const { name, type, end } = questionOf(asked)
  const answers = mood === 'failing' ? [] : answersTo(name, type, addressOf, mood)
  const head = Buffer.from(asked.subarray(0, 12))
  const whole = Buffer.concat([asked.subarray(12, end), ...answers])
  const cut = head.length + whole.length > most
  // A response with recursion, one question, and so many answers (RFC 1035 §4.1.1).
  head.writeUInt16BE(0x8180 | (cut ? TRUNCATED : 0) | (mood === 'failing' ? SERVFAIL : 0), 2)
  head.writeUInt16BE(cut ? 0 : answers.length, 6)
  head.writeUInt32BE(0, 8)
  return Buffer.concat([head, cut ? asked.subarray(12, end) : whole])
}

function answersTo(
  name: string,
  type: number,
  addressOf: (domain: string) => string | undefined,
  mood: Mood,
): readonly Buffer[] {
  const host = name.startsWith('mx.')
  if (type === A && host) {
    const address = addressOf(name.slice(3))
    return address === undefined ? [] : [answer(A, Buffer.from(address.split('.').map(Number)))]
  }
  if (type !== MX || host) return []
  const nobodies = (count: number) =>
    Array.from({ length: count }, (_, n) => answer(MX, mxData(`nobody${n}.invalid`, 20)))
  if (mood === 'lying') return nobodies(1)
  const right = answer(MX, mxData(name, 10))
  return mood === 'thousand' ? [...nobodies(THOUSAND - 1), right] : [right]
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

function mxData(domain: string, preference: number): Buffer {
  const labels = `mx.${domain}`.split('.').map(label => {
    const text = Buffer.from(label, 'latin1')
    return Buffer.concat([Buffer.from([text.length]), text])
  })
  return Buffer.concat([Buffer.from([0, preference]), ...labels, Buffer.from([0])])
}
