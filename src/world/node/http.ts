/**
 * HTTP servers of the real world: the loopback listener of /metrics and /health, and the control
 * socket. What they answer is a `fetch` function (a Hono app), which is loaded with the first request: a
 * server that nobody asks has no need of it. This file only opens the socket.
 */
import { chmodSync, rmSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { ListenAddress, Listening } from '../net.ts'
import { nodeHttp } from './node-http.ts'
import { underMask } from './under-mask.ts'

type Listener = (request: IncomingMessage, response: ServerResponse) => Promise<unknown>
export type Fetch = (request: Request) => Response | Promise<Response>

/** Serves HTTP at an address or a Unix socket; a stale socket file is replaced. */
export async function listenHttp(
  where: ListenAddress,
  load: () => Promise<Fetch>,
): Promise<Listening> {
  let loading: Promise<Listener> | undefined
  const server = nodeHttp.createServer((request, response) => {
    loading ??= listenerOf(load)
    loading.then(listener => listener(request, response)).catch(() => response.destroy())
  })
  server.requestTimeout = 60_000
  server.headersTimeout = 10_000
  const local = await bound(server, where)
  return {
    local,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function listenerOf(load: () => Promise<Fetch>): Promise<Listener> {
  const [{ getRequestListener }, fetch] = await Promise.all([import('@hono/node-server'), load()])
  // Checks of load balancers speak HTTP/1.0, which has no Host.
  return getRequestListener(fetch, { overrideGlobalObjects: false, hostname: 'localhost' })
}

function bound(server: Server, where: ListenAddress): Promise<{ address: string; port: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', () => {
      const address = server.address()
      if (where.kind === 'unix') chmodSync(where.path, where.mode)
      if (address !== null && typeof address === 'object') {
        resolve({ address: address.address, port: address.port })
      } else resolve({ address: where.kind === 'unix' ? where.path : '', port: 0 })
    })
    if (where.kind === 'unix') {
      // The data folder is locked by us, so whoever left this file is dead.
      rmSync(where.path, { force: true })
      underMask(where.mode, () => server.listen(where.path))
    } else if (where.kind === 'tcp') server.listen(where.port, where.address)
    else server.listen({ fd: where.fd })
  })
}
