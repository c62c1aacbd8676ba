/**
 * `sendmail -bs`: standard input and output joined to a socket of the server, octet by octet. What stands
 * there may be two pipes, a socket of this machine, or a network connection that inetd has accepted.
 */
import { isIPv6 } from 'node:net'
import type { Connection } from '../world/net.ts'

/** Resolves when the server has closed, which it does after QUIT and after our end of input. */
export function join(terminal: Connection, server: Connection, first = ''): Promise<void> {
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
        if (!server.write(Buffer.from(octets))) terminal.pause()
      },
      ended: () => server.end(),
      drained: () => server.resume(),
      closed: () => server.destroy(),
    })
  })
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
