/** Real sockets on the loopback: half close, resets, STARTTLS on both sides, Unix sockets. */
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect as connectSocket, createServer, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { silent } from '../log.ts'
import type { Connection, ListenAddress, SecureOptions } from '../net.ts'
import { endpoint } from './connection.ts'
import { writeSelfMadeCertificate } from './demo-certificate.ts'
import { type FileIdentity, loadIdentity } from './identity.ts'
import { nodeNet } from './net.ts'

let directory: string
let identity: FileIdentity
let roots: string

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postrider-'))
  const files = { certFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') }
  await writeSelfMadeCertificate(files, ['mx.test', '127.0.0.1'])
  identity = loadIdentity(files, silent)
  roots = readFileSync(files.certFile, 'utf8')
})
after(() => rm(directory, { recursive: true }))

const LOOPBACK: ListenAddress = { kind: 'tcp', address: '127.0.0.1', port: 0 }

/** Opens a connection and notes everything it says. */
function noted(connection: Connection) {
  let heard = ''
  let waiting: { text: string; resolve: () => void } | undefined
  const ends: string[] = []
  const closed = new Promise<Error | undefined>(resolve => {
    connection.open({
      received(octets) {
        heard += Buffer.from(octets).toString('latin1')
        if (waiting && heard.includes(waiting.text)) waiting.resolve()
      },
      ended: () => ends.push('ended'),
      drained: () => ends.push('drained'),
      closed(error) {
        waiting?.resolve()
        resolve(error)
      },
    })
  })
  return {
    closed,
    ends,
    get heard() {
      return heard
    },
    hears: (text: string) =>
      new Promise<void>(resolve => {
        if (heard.includes(text)) resolve()
        else waiting = { text, resolve }
      }),
  }
}

/** A connected pair over the loopback. */
async function pair(where: ListenAddress = LOOPBACK) {
  const accepted = Promise.withResolvers<Connection>()
  const listening = await nodeNet.listen(where, accepted.resolve)
  const { port } = listening.local
  const client = await nodeNet.connect({ address: '127.0.0.1', port, timeoutMs: 1000 })
  return { client, server: await accepted.promise, listening }
}

test('a half-closed peer still gets its replies', async () => {
  const { client, server, listening } = await pair()
  const atServer = noted(server)
  const atClient = noted(client)
  client.write('QUIT\r\n')
  client.end()
  await atServer.hears('QUIT')
  while (atServer.ends.length === 0) await new Promise(setImmediate)
  server.write('221 bye\r\n')
  server.end()
  assert.equal(await atClient.closed, undefined)
  assert.equal(atClient.heard, '221 bye\r\n')
  await atServer.closed
  await listening.close()
})

test('STARTTLS on both sides, with the name asked for and the chain verified', async () => {
  const { client, server, listening } = await pair()
  const atServer = noted(server)
  const atClient = noted(client)
  server.write('220 go\r\n')
  await atClient.hears('220 go')
  const asServer: SecureOptions = { side: 'server', identity }
  const asClient: SecureOptions = { side: 'client', servername: 'mx.test', trust: 'verify', roots }
  const [ours, theirs] = await Promise.all([server.secure(asServer), client.secure(asClient)])
  assert.equal(ours.servername, 'mx.test')
  assert.equal(theirs.protocol, 'TLSv1.3')
  assert.equal(theirs.verified, true)
  assert.equal(theirs.peerName, 'mx.test')
  client.write('EHLO a\r\n')
  await atServer.hears('EHLO a')
  server.write('250 b\r\n')
  await atClient.hears('250 b')
  client.end()
  server.end()
  await Promise.all([atClient.closed, atServer.closed])
  await listening.close()
})

for (const { says, servername, trust, roots: given, works, verified } of [
  {
    says: 'opportunistic takes any certificate',
    servername: 'other.test',
    trust: 'opportunistic',
    roots: false,
    works: true,
    verified: false,
  },
  {
    says: 'verify demands the name',
    servername: 'other.test',
    trust: 'verify',
    roots: true,
    works: false,
    verified: false,
  },
  {
    says: 'verify demands a trusted chain',
    servername: 'mx.test',
    trust: 'verify',
    roots: false,
    works: false,
    verified: false,
  },
  {
    says: 'an address is verified as one',
    servername: '127.0.0.1',
    trust: 'verify',
    roots: true,
    works: true,
    verified: true,
  },
] as const) {
  test(`TLS: ${says}`, async () => {
    const { client, server, listening } = await pair()
    const atClient = noted(client)
    const atServer = noted(server)
    const accepted = server.secure({ side: 'server', identity }).catch(() => {})
    const options = { side: 'client', servername, trust, ...(given ? { roots } : {}) } as const
    const facts = await client.secure(options).catch(() => undefined)
    assert.equal(facts !== undefined, works)
    assert.equal(facts?.verified ?? false, verified)
    client.destroy()
    await accepted
    server.destroy()
    await Promise.all([atClient.closed, atServer.closed])
    await listening.close()
  })
}

test('a handshake that is none rejects and closes, and nothing is thrown', async () => {
  const { client, server, listening } = await pair()
  const atServer = noted(server)
  const atClient = noted(client)
  client.write('EHLO I do not speak TLS\r\n')
  await assert.rejects(server.secure({ side: 'server', identity }))
  assert.ok((await atServer.closed) instanceof Error)
  client.destroy()
  await atClient.closed
  await listening.close()
})

test('a peer that goes away in the handshake rejects it', async () => {
  const { client, server, listening } = await pair()
  const atServer = noted(server)
  noted(client)
  const secured = server.secure({ side: 'server', identity })
  client.destroy()
  await assert.rejects(secured)
  await atServer.closed
  await listening.close()
})

test('a thousand resets leave nothing behind and throw nothing', async () => {
  let open = 0
  let closed = 0
  const listening = await nodeNet.listen(LOOPBACK, connection => {
    open += 1
    connection.open({
      received: () => connection.write('250 ok\r\n'),
      ended: () => connection.end(),
      drained: () => {},
      closed: () => {
        closed += 1
      },
    })
    connection.write('220 hello\r\n')
  })
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => {
        const socket = new Socket().on('error', () => {})
        socket.connect(listening.local.port, '127.0.0.1')
        // Every fifth is reset before it is accepted, the others in the middle of a dialogue.
        if (i % 5 === 0) socket.once('connect', () => socket.resetAndDestroy())
        else socket.once('data', () => socket.write('NOOP\r\n', () => socket.resetAndDestroy()))
        return new Promise(resolve => socket.once('close', resolve))
      }),
    )
  }
  for (let turns = 0; closed < open && turns < 1000; turns++) await new Promise(setImmediate)
  await listening.close()
  assert.equal(closed, open)
  assert.ok(open >= 800, `${open} were seen`)
})

test('a Unix socket has its mode, survives a stale file, and steals nobody', async () => {
  const path = join(directory, 'control')
  const first = await nodeNet.listen({ kind: 'unix', path, mode: 0o600 }, () => {})
  assert.equal(statSync(path).mode & 0o777, 0o600)
  await assert.rejects(
    nodeNet.listen({ kind: 'unix', path, mode: 0o600 }, () => {}),
    {
      code: 'EADDRINUSE',
    },
  )
  await first.close()
  await writeFile(path, 'not a socket')
  await assert.rejects(nodeNet.listen({ kind: 'unix', path, mode: 0o600 }, () => {}))
  assert.equal(readFileSync(path, 'utf8'), 'not a socket')
  await rm(path)
  const accepted = Promise.withResolvers<Connection>()
  const second = await nodeNet.listen({ kind: 'unix', path, mode: 0o666 }, accepted.resolve)
  assert.equal(statSync(path).mode & 0o777, 0o666)
  const peer = connectSocket({ path })
  const connection = await accepted.promise
  assert.deepEqual(connection.remote, { address: 'unix', port: 0 })
  assert.deepEqual(connection.local, { address: path, port: 0 })
  peer.destroy()
  connection.destroy()
  await second.close()
})

test('a connection that does not come about says why', async () => {
  const free = createServer()
  await new Promise<void>(resolve => free.listen(0, '127.0.0.1', resolve))
  const { port } = free.address() as { port: number }
  await new Promise(resolve => free.close(resolve))
  const refused = nodeNet.connect({ address: '127.0.0.1', port, timeoutMs: 1000 })
  await assert.rejects(refused, { code: 'ECONNREFUSED' })
  const named = nodeNet.connect({ address: 'mx.example.org', port: 25, timeoutMs: 1000 })
  await assert.rejects(named, { code: 'EINVAL' })
})

test('a write to a peer that does not read says so, and drained follows', async () => {
  const { client, server, listening } = await pair()
  const atServer = noted(server)
  client.pause()
  const atClient = noted(client)
  let written = 0
  while (server.write(Buffer.alloc(65_536, 'x'))) written += 65_536
  written += 65_536
  client.resume()
  while (!atServer.ends.includes('drained')) await new Promise(setImmediate)
  server.end()
  client.end()
  await Promise.all([atClient.closed, atServer.closed])
  assert.equal(atClient.heard.length, written)
  await listening.close()
})

test('addresses are shown plainly', () => {
  for (const [given, shown] of [
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
  ] as const) {
    assert.equal(endpoint(given, 25).address, shown)
  }
})

test('all sockets read into one buffer, plain and secured, and lend what they read', async () => {
  // Fails where a new Node keeps `onread` elsewhere: read-buffer.ts then falls back, at a third more CPU.
  const buffers = new Set<ArrayBufferLike>()
  let served: Connection | undefined
  let heard = ''
  const listening = await nodeNet.listen(LOOPBACK, connection => {
    served = connection
    connection.open({
      received(octets) {
        buffers.add(octets.buffer)
        heard += Buffer.from(octets).toString('latin1')
      },
      ended: () => connection.end(),
      drained() {},
      closed() {},
    })
  })
  const client = await nodeNet.connect({
    address: '127.0.0.1',
    port: listening.local.port,
    timeoutMs: 5_000,
  })
  const over = new Promise<void>(resolve => {
    client.open({ received() {}, ended() {}, drained() {}, closed: () => resolve() })
  })
  for (const text of ['one ', 'two ', 'three ']) {
    client.write(text)
    while (!heard.includes(text)) await new Promise(resolve => setTimeout(resolve, 1))
  }
  await Promise.all([
    served?.secure({ side: 'server', identity }),
    client.secure({ side: 'client', servername: 'mx.test', trust: 'verify', roots }),
  ])
  client.write('four')
  while (!heard.includes('four')) await new Promise(resolve => setTimeout(resolve, 1))
  client.end()
  await over
  await listening.close()
  assert.equal(heard, 'one two three four')
  assert.equal(buffers.size, 1)
})

test('several pieces arrive as one, and whoever lent them hears when they have left', async () => {
  const accepted = Promise.withResolvers<Connection>()
  const listening = await nodeNet.listen(LOOPBACK, accepted.resolve)
  const client = await nodeNet.connect({ ...listening.local, timeoutMs: 5_000 })
  const served = await accepted.promise
  const server = noted(served)
  noted(client)
  const large = Buffer.alloc(8 * 1024 * 1024, 'x')
  await new Promise<void>(left => client.write(['one ', large, ' three', Buffer.from('.')], left))
  await server.hears(' three.')
  assert.equal(server.heard.length, 4 + large.length + 7)
  assert.ok(server.heard.startsWith('one x'))
  client.destroy()
  client.write(['late'], () => assert.fail('nothing has left'))
  served.destroy()
  await server.closed
  await listening.close()
})
