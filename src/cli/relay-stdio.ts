/** `sendmail -bs`: standard input and output joined to the server's local socket, octet by octet. */
import type { Connection } from '../world/net.ts'
import { stdioConnection } from '../world/node/stdio.ts'

/** Resolves when the server has closed, which it does after QUIT and after our end of input. */
export function joinStdio(server: Connection): Promise<void> {
  const terminal = stdioConnection()
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
