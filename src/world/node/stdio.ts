/** Standard input and output as one connection, for `sendmail -bs` and the like. No TLS. */
import type { Endpoint } from '../../wire/effect.ts'
import type { Connection, ConnectionEvents } from '../net.ts'

const STDIO: Endpoint = { address: 'stdio', port: 0 }

/** Any pair of streams as a connection; the process's own by default. */
export function stdioConnection(
  input: NodeJS.ReadableStream = process.stdin,
  output: NodeJS.WritableStream = process.stdout,
): Connection {
  let events: ConnectionEvents | undefined
  let outputOver = false
  let closed = false
  const close = (error?: Error) => {
    if (closed) return
    closed = true
    input.pause()
    queueMicrotask(() => events?.closed(error))
  }
  return {
    remote: STDIO,
    local: STDIO,
    open(given) {
      events = given
      input.on('data', octets => {
        if (!closed) given.received(typeof octets === 'string' ? Buffer.from(octets) : octets)
      })
      input.on('end', () => {
        if (!closed) given.ended()
      })
      output.on('drain', () => {
        if (!closed) given.drained()
      })
      input.on('error', close)
      output.on('error', close)
    },
    // Nobody stands between: what opens it keeps it.
    release() {},
    write: octets => closed || outputOver || output.write(octets),
    pause: () => input.pause(),
    resume: () => {
      if (!closed) input.resume()
    },
    secure: () => Promise.reject(new Error('standard input and output have no TLS')),
    end() {
      if (outputOver) return
      outputOver = true
      // The other end of a pipe waits for us, not we for it: there is nothing to linger for.
      output.write('', () => close())
    },
    destroy: () => close(),
  }
}
