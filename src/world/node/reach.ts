/**
 * Ways to reach a server that the network port has no use for: a Unix socket, and a name looked up
 * as the system does it (hosts file and all). For the command line; relay asks the DNS itself.
 */
import { lookup } from 'node:dns/promises'
import { isIP, Socket } from 'node:net'
import { ConnectError, type Connection } from '../net.ts'
import { NodeConnection } from './connection.ts'

/** Connects to a Unix socket; rejects with `ConnectError`. */
export function connectUnix(path: string, timeoutMs: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = new Socket({ allowHalfOpen: true })
    const fail = (code: string) => {
      clearTimeout(late)
      socket.destroy()
      reject(new ConnectError(code, `connect to ${path}: ${code}`))
    }
    const late = setTimeout(() => fail('ETIMEDOUT'), timeoutMs)
    const onError = (error: NodeJS.ErrnoException) => fail(error.code ?? 'EUNKNOWN')
    socket.once('error', onError)
    socket.once('connect', () => {
      clearTimeout(late)
      resolve(new NodeConnection(socket, path))
      socket.off('error', onError)
    })
    socket.connect({ path })
  })
}

/** The addresses of a name, or the address itself; empty where there are none. */
export async function addressesOf(name: string): Promise<readonly string[]> {
  if (isIP(name) !== 0) return [name]
  try {
    return (await lookup(name, { all: true })).map(found => found.address)
  } catch {
    return []
  }
}
