/**
 * HTTP servers of the real world: the loopback listener of /metrics and /health, and the control
 * socket. What they answer is a `fetch` function (a Hono app); this file only opens the socket.
 */
import { chmodSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import type { ListenAddress, Listening } from '../net.ts'

export type Fetch = (request: Request) => Response | Promise<Response>

/** Serves HTTP at an address or a Unix socket; a stale socket file is replaced. */
export async function listenHttp(where: ListenAddress, fetch: Fetch): Promise<Listening> {
  const server = createAdaptorServer({ fetch }) as Server
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
      server.listen(where.path)
    } else if (where.kind === 'tcp') server.listen(where.port, where.address)
    else server.listen({ fd: where.fd })
  })
}
