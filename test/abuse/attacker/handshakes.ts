/** Who breaks TLS: garbage for a handshake, half of one, one after the other, an end in the midst of a command. */
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { type Attack, over, Raw, type Victim } from './attack.ts'

const TLS_DOORS = ['submissions', 'pop3s', 'imaps'] as const

function plain(victim: Victim, door: string) {
  const socket = connect(victim.ports[door] ?? 0, '127.0.0.1')
  socket.on('error', () => {})
  return socket
}

/** Record headers of a handshake with whatever behind; half hellos that stay. */
const broken: Attack = {
  name: 'broken-handshakes',
  run: async (victim, time) => {
    let n = 0
    const standing: ReturnType<typeof plain>[] = []
    const count = await over(time, 20, async () => {
      const socket = plain(victim, TLS_DOORS[n++ % 3] as string)
      const size = 1 + Math.floor(Math.random() * 2000)
      const head = Buffer.from([22, 3, 1, size >> 8, size & 255])
      socket.write(
        n % 3 === 0
          ? randomBytes(size)
          : Buffer.concat([head, randomBytes(n % 3 === 1 ? size : 3)]),
      )
      if (standing.length < 50 * time.scale) standing.push(socket)
      else socket.destroy()
      await sleep(1)
    })
    for (const socket of standing) socket.destroy()
    return { handshakes: count }
  },
}

/** A whole handshake each time: the dearest thing a stranger can ask for. */
const whole: Attack = {
  name: 'handshake-flood',
  run: async (victim, time) => {
    let n = 0
    const count = await over(time, 6, async () => {
      const raw = await Raw.to(victim, TLS_DOORS[n++ % 3] as string)
      raw.end()
    })
    return { handshakes: count }
  },
}

/** RFC 5246 §7.4.1.1 lets a client ask for a handshake anew, over and over; TLS 1.3 knows it no more. */
const again: Attack = {
  name: 'renegotiation',
  run: async (victim, time) => {
    let asked = 0
    await over(time, 4, async () => {
      const socket: TLSSocket = connectTls({
        port: victim.ports['imaps'] ?? 0,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        maxVersion: 'TLSv1.2',
      })
      socket.on('error', () => {})
      socket.resume()
      await new Promise<void>(resolve => {
        socket.once('secureConnect', resolve)
        socket.once('close', () => resolve())
      })
      for (let n = 0; n < 20 && !socket.destroyed && time.left() > 0; n++) {
        asked += 1
        await Promise.race([
          new Promise<void>(resolve => socket.renegotiate({}, () => resolve())),
          new Promise<void>(resolve => socket.once('close', () => resolve())),
          sleep(200),
        ])
      }
      socket.destroy()
    })
    return { asked }
  },
}

/** close_notify, a FIN or a reset behind half a command, and in the midst of content. */
const ends: Attack = {
  name: 'ends-in-mid-command',
  run: async (victim, time) => {
    const halves = [
      ['submissions', 'EHLO x\r\nAUTH PLA'],
      ['submissions', 'EHLO x\r\nAUTH PLAIN\r\n'],
      ['pop3s', 'USER a\r\nPAS'],
      ['imaps', 'a LOGIN {5}\r\nab'],
      ['imaps', `a LOGIN ${victim.address} ${victim.password}\r\nb APPEND INBOX {100+}\r\nabc`],
      [
        'imaps',
        `a LOGIN ${victim.address} ${victim.password}\r\nb SELECT INBOX\r\nc FETCH 1:* BODY[]\r\n`,
      ],
      ['smtp', `EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<${victim.address}>\r\nDATA\r\nhalf`],
      [
        'smtp',
        `EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<${victim.address}>\r\nBDAT 100 LAST\r\nhalf`,
      ],
    ] as const
    let n = 0
    const count = await over(time, 10, async () => {
      const [door, text] = halves[n++ % halves.length] ?? halves[0]
      const raw = await Raw.to(victim, door)
      await raw.write(text)
      if (n % 5 === 0) await sleep(5)
      if (n % 3 === 0) raw.socket.end()
      else raw.end()
      await raw.until(/^$never/, 20)
      raw.end()
    })
    return { connections: count }
  },
}

export const handshakes: readonly Attack[] = [broken, whole, again, ends]
