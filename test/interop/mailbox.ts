/**
 * Takes messages out of a mailbox octet for octet, by a POP3 client as plain as can be that shares
 * no code with the server, so that an error of both cannot hide. A CR or LF alone stays what it is.
 */
import { connect, type TLSSocket } from 'node:tls'
import type { DemoAccount, Server } from '../kit/server.ts'
import { until } from './program.ts'

class Pop {
  readonly #socket: TLSSocket
  /** What has come and was not read, one octet a character. */
  #waiting = ''
  #wake: () => void = () => undefined
  #ended = false

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    const end = () => {
      this.#ended = true
      this.#wake()
    }
    this.#socket.on('error', end).on('close', end)
    this.#socket.on('data', (octets: Buffer) => {
      this.#waiting += octets.toString('latin1')
      this.#wake()
    })
  }

  /** What comes up to and with `end`. */
  async #upTo(end: string): Promise<string> {
    for (let from = 0; ; ) {
      const at = this.#waiting.indexOf(end, from)
      if (at >= 0) {
        const found = this.#waiting.slice(0, at + end.length)
        this.#waiting = this.#waiting.slice(at + end.length)
        return found
      }
      if (this.#ended) throw new Error('the POP3 connection ended')
      from = Math.max(0, this.#waiting.length - end.length)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  /** A status line; throws where it is not +OK. `command` is not sent where it is undefined. */
  async ask(command?: string): Promise<string> {
    if (command !== undefined) this.#socket.write(`${command}\r\n`)
    const line = await this.#upTo('\r\n')
    if (!line.startsWith('+OK')) throw new Error(`POP3: ${line}`)
    return line
  }

  /** The message, its dots unstuffed. */
  async retrieve(number: number): Promise<Buffer> {
    await this.ask(`RETR ${number}`)
    // The line end that the final dot stands behind may be that of the status line.
    this.#waiting = `\r\n${this.#waiting}`
    const lines = (await this.#upTo('\r\n.\r\n')).slice(0, -3)
    return Buffer.from(lines.replace(/\r\n\./g, '\r\n').slice(2), 'latin1')
  }

  close(): void {
    this.#socket.destroy()
  }
}

/** All messages that are there; they are removed. */
export async function takeAll(server: Server, account: DemoAccount): Promise<Buffer[]> {
  const pop = new Pop(server.port('pop3s'))
  try {
    await pop.ask()
    // Else headers in UTF-8 would come in ASCII (RFC 6856).
    await pop.ask('UTF8')
    await pop.ask(`USER ${account.address}`)
    await pop.ask(`PASS ${account.password}`)
    const count = Number((await pop.ask('STAT')).split(' ')[1])
    const messages: Buffer[] = []
    for (let number = 1; number <= count; number++) {
      messages.push(await pop.retrieve(number))
      await pop.ask(`DELE ${number}`)
    }
    await pop.ask('QUIT')
    return messages
  } finally {
    pop.close()
  }
}

/** Waits for `count` messages, by default in the first account, and takes them out. */
export async function take(
  server: Server,
  count: number,
  account = server.account(0),
  timeoutMs = 20_000,
): Promise<Buffer[]> {
  const messages: Buffer[] = []
  await until(
    `${count} messages for ${account.address}`,
    async () => {
      messages.push(...(await takeAll(server, account)))
      return messages.length >= count ? true : undefined
    },
    timeoutMs,
  )
  return messages
}

/** Waits for one message and takes it out, one octet a character. */
export async function takeOne(server: Server, account = server.account(0)): Promise<string> {
  const [message] = await take(server, 1, account)
  return (message as Buffer).toString('latin1')
}

/** What stands below the empty line. */
export function bodyOf(message: string): string {
  return message.slice(message.indexOf('\r\n\r\n') + 4)
}

/** Everything below the trace fields that delivery puts on top: what was sent. */
export function belowTrace(message: Buffer): Buffer {
  const text = message.toString('latin1')
  const trace = /^(?:(?:Return-Path|Delivered-To|Received):[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)*/i
  return message.subarray(trace.exec(text)?.[0].length ?? 0)
}
