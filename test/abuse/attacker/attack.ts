/**
 * What an attacker is: a name, and what it does until its time is over, to a server of which it knows the ports
 * and one account. One file for each in this folder; table.ts has all. An attacker judges nothing: whether
 * the server stands is seen by who uses it meanwhile (../hostile.ts).
 */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'

export interface Victim {
  readonly ports: Readonly<Record<string, number>>
  readonly address: string
  readonly password: string
}

export interface Attack {
  readonly name: string
  /** What it needs to stand there before its time begins: mailboxes, messages. It is no attack yet. */
  readonly prepare?: (victim: Victim, scale: number) => Promise<void>
  readonly run: (victim: Victim, time: Time) => Promise<Tally>
}

/** What it did, in numbers. */
export type Tally = Readonly<Record<string, number>>

export interface Time {
  readonly left: () => number
  /** How much of everything: 1 in the quick form. */
  readonly scale: number
}

export const DOORS = [
  'smtp',
  'submission',
  'pop3',
  'imap',
  'submissions',
  'pop3s',
  'imaps',
] as const
const TLS: readonly string[] = ['submissions', 'pop3s', 'imaps']

/** A socket that never fails and, unless told so, throws away what it hears. */
export class Raw {
  readonly socket: Socket
  heard = ''
  heardOctets = 0
  gone = false
  #wake = () => {}

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('drain', () => this.#wake())
    socket.on('close', () => {
      this.gone = true
      this.#wake()
    })
    socket.on('data', (octets: Buffer) => {
      this.heardOctets += octets.length
      this.heard = (this.heard + octets.toString('latin1')).slice(-4000)
      this.#wake()
    })
  }

  /** Resolves once connected, and under TLS where the port begins with it; or gone. */
  static async to(victim: Victim, door: string, from?: string): Promise<Raw> {
    const port = victim.ports[door] ?? 0
    const bound = from === undefined ? {} : { localAddress: from }
    const plain = connect({ port, host: '127.0.0.1', ...bound })
    const tls = TLS.includes(door)
    const socket = tls ? connectTls({ socket: plain, rejectUnauthorized: false }) : plain
    const raw = new Raw(socket)
    if (tls) plain.on('error', () => {})
    await new Promise<void>(resolve => {
      socket.once(tls ? 'secureConnect' : 'connect', () => resolve())
      socket.once('close', () => resolve())
    })
    return raw
  }

  /** Writes, and waits where the other side does not take it; for at most so long. */
  async write(output: string | Uint8Array, mostMs = 1000): Promise<void> {
    if (this.gone || !this.socket.writable) return
    if (this.socket.write(output)) return
    for (const end = performance.now() + mostMs; performance.now() < end; ) {
      if (this.gone || !this.socket.writableNeedDrain) return
      await this.#woken(end - performance.now())
    }
  }

  #woken(mostMs: number): Promise<void> {
    return new Promise(resolve => {
      const late = setTimeout(resolve, Math.max(0, mostMs))
      this.#wake = () => {
        clearTimeout(late)
        resolve()
      }
    })
  }

  /** Until it has heard this, or is gone, or was silent for so long. */
  async until(wanted: RegExp, mostMs = 5000): Promise<boolean> {
    for (const end = performance.now() + mostMs; performance.now() < end; ) {
      if (wanted.test(this.heard)) return true
      if (this.gone) return false
      await this.#woken(end - performance.now())
    }
    return false
  }

  async say(line: string, wanted: RegExp, mostMs?: number): Promise<boolean> {
    this.heard = ''
    await this.write(`${line}\r\n`)
    return this.until(wanted, mostMs)
  }

  end(): void {
    this.socket.destroy()
  }
}

/** An IMAP session, logged in, with INBOX open. */
export async function imap(victim: Victim): Promise<Raw> {
  const raw = await Raw.to(victim, 'imaps')
  await raw.until(/\r\n/)
  await raw.say(`a LOGIN ${victim.address} ${victim.password}`, /^a /m)
  await raw.say('b SELECT INBOX', /^b /m)
  return raw
}

/** An SMTP session that waits for the message of one recipient. */
export async function inData(victim: Victim): Promise<Raw> {
  const raw = await Raw.to(victim, 'smtp')
  await raw.until(/^220 /m)
  const lines = [
    'EHLO x.example',
    'MAIL FROM:<joe@remote.example>',
    `RCPT TO:<${victim.address}>`,
    'DATA',
  ]
  await raw.say(lines.join('\r\n'), /^(?:354|4..|5..) /m)
  return raw
}

/** Does it over and over, so many at once, until the time is over; how often. */
export async function over(time: Time, atOnce: number, one: () => Promise<void>): Promise<number> {
  let count = 0
  const row = async () => {
    while (time.left() > 0) {
      await one()
      count += 1
      // A turn of the loop: what never waits would keep all else from running.
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, row))
  return count
}

export async function rest(time: Time): Promise<void> {
  const left = time.left()
  if (left > 0) await sleep(left)
}
