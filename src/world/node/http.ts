/**
 * HTTP servers of the real world: the loopback listener of /metrics and /health, and the control
 * socket. What they answer is an `Answering` (world/http.ts); this file only opens the socket.
 */
import { chmodSync, rmSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Answered, Answering } from '../http.ts'
import type { ListenAddress, Listening } from '../net.ts'
import { nodeHttp } from './node-http.ts'

/** Serves HTTP at an address or a Unix socket; a stale socket file is replaced. A longer body ends its connection. */
export async function listenHttp(
  where: ListenAddress,
  answering: Answering,
  bodyMaxOctets: number,
): Promise<Listening> {
  const server = nodeHttp.createServer((request, response) => {
    answered(request, answering, bodyMaxOctets).then(
      answer => respond(response, answer),
      // Who asked has gone, or says too much.
      () => response.destroy(),
    )
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

async function answered(
  request: IncomingMessage,
  answering: Answering,
  bodyMaxOctets: number,
): Promise<Answered> {
  const pieces: Uint8Array[] = []
  let octets = 0
  for await (const piece of request as AsyncIterable<Uint8Array>) {
    octets += piece.length
    if (octets > bodyMaxOctets) throw new Error('the body is too long')
    pieces.push(piece)
  }
  const path = (request.url ?? '').replace(/\?.*/s, '')
  const body = Buffer.concat(pieces).toString('utf8')
  try {
    const found = await answering({ method: request.method ?? '', path, body })
    return found ?? plain(404, 'There is nothing here')
  } catch (error) {
    return plain(500, error instanceof Error ? error.message : String(error))
  }
}

function plain(status: number, text: string): Answered {
  return { status, type: 'text/plain; charset=utf-8', body: `${text}\n` }
}

/** To HEAD, Node sends no body. */
function respond(response: ServerResponse, { status, type, body }: Answered): void {
  const octets = Buffer.from(body)
  response.writeHead(status, { 'content-type': type, 'content-length': octets.length })
  response.end(octets)
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
