/**
 * Standard input and output as one connection, for `sendmail -bs` and the like: two pipes, or a socket that
 * inetd and its kind have put there. No TLS of ours: what passes through is the server's.
 */
import { fstatSync } from 'node:fs'
import { Socket } from 'node:net'
import { isatty } from 'node:tty'
import type { Endpoint } from '../../wire/effect.ts'
import { octetsIn } from '../../wire/output.ts'
import type { Connection, ConnectionEvents } from '../net.ts'
import { NodeConnection } from './connection.ts'

const STDIO: Endpoint = { address: 'stdio', port: 0 }

/**
 * The socket that descriptor 0 is in both directions: where 1 is the same one, or leads nowhere. Two pipes
 * may be sockets too, but two of them.
 */
export function inheritedSocket(): Connection | undefined {
  const input = fstatSync(0)
  if (!input.isSocket()) return undefined
  const output = fstatSync(1)
  const same = output.isSocket() && output.ino === input.ino
  const nowhere = output.isCharacterDevice() && !isatty(1)
  if (!same && !nowhere) return undefined
  const socket = new Socket({ fd: 0, readable: true, writable: true, allowHalfOpen: true })
  return new NodeConnection(socket, socket.remoteAddress === undefined ? 'stdio' : undefined)
}

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
    write(given, left) {
      if (closed || outputOver) return true
      const octets = typeof given === 'string' ? given : octetsIn(given)
      return output.write(octets, error => {
        if (!error) left?.()
      })
    },
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
