/** A PROXY header before real octets: what follows it is whole, TLS too; what is none closes. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectSocket, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duplexPair } from 'node:stream'
import { after, before, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { silent } from '../log.ts'
import type { Connection } from '../net.ts'
import { behindProxy } from '../proxied.ts'
import { nodeClock } from './clock.ts'
import { writeSelfMadeCertificate } from './demo-certificate.ts'
import { type FileIdentity, loadIdentity } from './identity.ts'
import { nodeNet } from './net.ts'

let directory: string
let identity: FileIdentity
let roots: string

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postrider-'))
  const files = { certFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') }
  await writeSelfMadeCertificate(files, ['mx.test'])
  identity = loadIdentity(files, silent)
  roots = readFileSync(files.certFile, 'utf8')
})
after(() => rm(directory, { recursive: true }))

const HEADER = 'PROXY TCP4 192.0.2.7 198.51.100.1 40000 465\r\n'

/** A proxy's socket, and what the server makes of it. */
async function arrival(patienceMs = 5_000) {
  const behind = Promise.withResolvers<Connection | { readonly fault: string }>()
  const listening = await nodeNet.listen({ kind: 'tcp', address: '127.0.0.1', port: 0 }, accepted =>
    behind.resolve(behindProxy(accepted, nodeClock, patienceMs)),
  )
  const socket = connectSocket(listening.local.port, '127.0.0.1')
  socket.on('error', () => {})
  return { socket, behind: behind.promise, listening }
}

/** Answers everything with its length, and gathers what it hears. */
function echoes(connection: Connection): () => string {
  let heard = ''
  connection.open({
    received(octets) {
      heard += Buffer.from(octets).toString('latin1')
      if (heard.endsWith('.')) connection.write(`heard ${heard.length}`)
    },
    ended: () => connection.end(),
    drained() {},
    closed() {},
  })
  return () => heard
}

const answer = (socket: Socket) =>
  new Promise<string>(resolve => socket.once('data', octets => resolve(octets.toString())))

test('what stands behind the header in one segment is received, and so is what comes later', async () => {
  const { socket, behind, listening } = await arrival()
  socket.write(`${HEADER}EHLO x\r\n`)
  const connection = await behind
  assert.ok(!('fault' in connection))
  assert.deepEqual(connection.remote, { address: '192.0.2.7', port: 40_000 })
  assert.deepEqual(connection.local, { address: '198.51.100.1', port: 465 })
  const heard = echoes(connection)
  socket.write('QUIT.')
  assert.equal(await answer(socket), 'heard 13')
  assert.equal(heard(), 'EHLO x\r\nQUIT.')
  socket.end()
  await listening.close()
})

test('TLS begins behind the header, be it in the same segment', async () => {
  const { socket, behind, listening } = await arrival()
  const [near, far] = duplexPair()
  const client = connectTls({ socket: near, servername: 'mx.test', ca: roots })
  far.once('data', (hello: Buffer) => {
    socket.write(Buffer.concat([Buffer.from(HEADER), hello]))
    far.pipe(socket).pipe(far)
  })
  const connection = await behind
  assert.ok(!('fault' in connection))
  const facts = await connection.secure({ side: 'server', identity })
  assert.equal(facts.servername, 'mx.test')
  assert.equal(connection.tls, facts)
  echoes(connection)
  client.write('secret.')
  assert.equal(await answer(client), 'heard 7')
  client.end()
  await listening.close()
})

test('what is no header, comes too late or never comes closes the connection', async () => {
  for (const [octets, fault] of [
    ['EHLO x\r\n', 'no PROXY header'],
    ['PROXY ', 'no PROXY header in time'],
    ['', 'no PROXY header in time'],
  ] as const) {
    const { socket, behind, listening } = await arrival(50)
    const gone = new Promise(resolve => socket.once('close', resolve))
    socket.write(octets)
    assert.deepEqual(await behind, { fault })
    socket.resume()
    await gone
    await listening.close()
  }
  const { socket, behind, listening } = await arrival()
  socket.end('PROXY')
  assert.deepEqual(await behind, { fault: 'closed before a PROXY header' })
  await listening.close()
})
