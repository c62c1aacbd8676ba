/** The HTTP listener: what load balancers and curious programs ask it. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import type { Listening } from '../net.ts'
import { listenHttp } from './http.ts'

let server: Listening

before(async () => {
  const where = { kind: 'tcp', address: '127.0.0.1', port: 0 } as const
  server = await listenHttp(where, async () => () => new Response('well'))
})

after(() => server.close())

async function firstLine(request: string): Promise<string> {
  const socket = connect(server.local.port, '127.0.0.1')
  socket.write(request)
  return (await text(socket)).split('\r\n')[0] ?? ''
}

test('a check by HTTP/1.0 needs no Host, one by HTTP/1.1 does', async () => {
  const table: readonly (readonly [string, RegExp])[] = [
    ['GET /health HTTP/1.0\r\n\r\n', / 200 /],
    ['GET /health HTTP/1.0\r\nHost: mail.example.org\r\n\r\n', / 200 /],
    ['GET /health HTTP/1.1\r\nConnection: close\r\n\r\n', / 400 /],
    ['nonsense\r\n\r\n', / 400 /],
  ]
  for (const [request, wanted] of table) assert.match(await firstLine(request), wanted, request)
})
