/**
 * `sendmail -bs`: standard input and output joined to a socket of the server, octet by octet. What stands
 * there may be two pipes, a socket of this machine, or a network connection that inetd has accepted.
 */
import { isIPv6 } from 'node:net'
import type { Connection } from '../world/net.ts'

const CR = 13
const LF = 10

/**
 * What a person types, or a script of this machine pipes, ends its lines with LF; and only CRLF.CRLF ends a message
 * (RFC 5321 §2.3.8). Who ends the first line so is written with CRLF throughout; all else passes as it is.
 */
export function typedLines(): (octets: Uint8Array) => Uint8Array {
  let byLf: boolean | undefined
  let afterCr = false
  return octets => {
    const lf = octets.indexOf(LF)
    if (lf >= 0) byLf ??= lf === 0 ? !afterCr : octets[lf - 1] !== CR
    const before = afterCr ? '\r' : ''
    if (octets.length > 0) afterCr = octets.at(-1) === CR
    if (byLf !== true) return octets
    const text = before + Buffer.from(octets).toString('latin1')
    return Buffer.from(text.replace(/\r?\n/g, '\r\n').slice(before.length), 'latin1')
  }
}

/**
 * Resolves when the server has closed, which it does after QUIT and after our end of input.
 * @param first what the server hears before the terminal
 */
export function join(
  terminal: Connection,
  server: Connection,
  { first = '', written = octets => octets }: Joining = {},
): Promise<void> {
  return new Promise(resolve => {
    server.open({
      received(octets) {
        if (!terminal.write(Buffer.from(octets))) server.pause()
      },
      ended() {
        terminal.end()
        server.end()
      },
      drained: () => terminal.resume(),
      closed() {
        terminal.end()
        resolve()
      },
    })
    if (first !== '') server.write(first)
    terminal.open({
      received(octets) {
        if (!server.write(Buffer.from(written(octets)))) terminal.pause()
      },
      ended: () => server.end(),
      drained: () => server.resume(),
      closed: () => server.destroy(),
    })
  })
}

interface Joining {
  readonly first?: string
  /** What the terminal says, as the server is to read it. */
  readonly written?: (octets: Uint8Array) => Uint8Array
}

/** Whether it comes from a network, and is then nobody of this machine. */
export function isStranger({ remote }: Connection): boolean {
  return remote.port !== 0
}

/** Who it is, as the server reads it first (the PROXY protocol, version 1). */
export function introduction({ remote, local }: Connection): string {
  const family = isIPv6(remote.address) ? 'TCP6' : 'TCP4'
  return `PROXY ${family} ${remote.address} ${local.address} ${remote.port} ${local.port}\r\n`
}
