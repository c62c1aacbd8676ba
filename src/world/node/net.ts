/**
 * The machine's network: TCP and Unix listeners, inherited descriptors, outgoing connections.
 * Implements world/net.ts. TLS, implicit or by STARTTLS, is `Connection.secure` in connection.ts.
 */
import { lstatSync, unlinkSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { connect as connectSocket, createServer, isIP, type Server, Socket } from 'node:net'
import {
  ConnectError,
  type Connection,
  type ConnectOptions,
  type ListenAddress,
  type Listening,
  type Net,
} from '../net.ts'
import { endpoint, NodeConnection } from './connection.ts'
import { underMask } from './under-mask.ts'

/**
 * How many connections the kernel may hold for us between two turns of the loop, up to its own limit (Linux: net.core.somaxconn, 4096).
 * Who finds no room is not refused: he tries again after 1, 3 and 7 s, which a flood must not do to others.
 */
const BACKLOG = 4096

export const nodeNet: Net = { listen, connect }

async function listen(
  where: ListenAddress,
  accept: (connection: Connection) => void,
): Promise<Listening> {
  const path = where.kind === 'unix' ? where.path : undefined
  // A half-closed client (`nc -N`, a script) is still owed its replies.
  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true })
  server.on('connection', socket => {
    // Reset before we looked: there is no peer to speak to.
    if (path === undefined && socket.remoteAddress === undefined && isTcp(server)) socket.destroy()
    else accept(new NodeConnection(socket, path ?? unixPath(server)))
  })
  if (where.kind === 'tcp') {
    await started(server, () =>
      server.listen({ host: where.address, port: where.port, backlog: BACKLOG }),
    )
  } else if (where.kind === 'inherited') {
    await started(server, () => server.listen({ fd: where.fd }))
  } else {
    await listenUnix(server, where.path, where.mode)
  }
  server.on('error', () => {}) // accept() out of descriptors: the next one may succeed.
  const bound = server.address()
  const local =
    bound === null || typeof bound === 'string'
      ? { address: bound ?? path ?? '', port: 0 }
      : endpoint(bound.address, bound.port)
  return { local, close: () => new Promise(resolve => closeListener(server, resolve)) }
}

/** Resolves when the listener is closed to new connections; those that stand are left alone. */
function closeListener(server: Server, done: () => void): void {
  // close() calls back only when the last connection has gone, which may be hours.
  server.close()
  setImmediate(done)
}

function isTcp(server: Server): boolean {
  const bound = server.address()
  return bound !== null && typeof bound !== 'string'
}

function unixPath(server: Server): string | undefined {
  const bound = server.address()
  return typeof bound === 'string' ? bound : undefined
}

function started(server: Server, listenNow: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', () => {
      server.off('error', reject)
      resolve()
    })
    listenNow()
  })
}

/** Never leaves the socket open to more than `mode`, and never steals one that is listened on. */
async function listenUnix(server: Server, path: string, mode: number): Promise<void> {
  const listenNow = () => underMask(mode, () => server.listen({ path, backlog: BACKLOG }))
  try {
    await started(server, listenNow)
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE' || !(await isStale(path))) throw error
    unlinkSync(path)
    await started(server, listenNow)
  }
  await chmod(path, mode)
}

/** A socket file that nobody listens on; anything else at this path is not ours to remove. */
async function isStale(path: string): Promise<boolean> {
  if (!lstatSync(path).isSocket()) return false
  return new Promise(resolve => {
    const probe = connectSocket({ path })
    probe.once('connect', () => {
      probe.destroy()
      resolve(false)
    })
    probe.once('error', error => resolve(codeOf(error) === 'ECONNREFUSED'))
  })
}

function connect(options: ConnectOptions): Promise<Connection> {
  const { address, port, timeoutMs, localAddress } = options
  const path = address.startsWith('/') ? address : undefined
  if (path === undefined && isIP(address) === 0) {
    return Promise.reject(new ConnectError('EINVAL', `not an address: ${address}`))
  }
  return new Promise((resolve, reject) => {
    const socket = new Socket({ allowHalfOpen: true })
    const fail = (code: string) => {
      clearTimeout(late)
      socket.destroy()
      reject(new ConnectError(code, `connect to ${address} port ${port}: ${code}`))
    }
    const late = setTimeout(() => fail('ETIMEDOUT'), timeoutMs)
    const onError = (error: Error) => fail(codeOf(error))
    socket.once('error', onError)
    socket.once('connect', () => {
      clearTimeout(late)
      if (path === undefined) socket.setNoDelay(true).setKeepAlive(true)
      resolve(new NodeConnection(socket, path))
      socket.off('error', onError)
    })
    try {
      const bound = localAddress === undefined ? {} : { localAddress }
      socket.connect(path === undefined ? { host: address, port, ...bound } : { path })
    } catch (error) {
      fail(codeOf(error))
    }
  })
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : 'EUNKNOWN'
}
