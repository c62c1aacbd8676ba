/**
 * Independence of the transmission subsystem (RFC 5321 §2.1, appendix A of RFC 821): one server session,
 * the same octets and the same replies over TCP, TLS, a Unix socket, a pair of pipes and memory.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, before, test } from 'node:test'
import { accept } from '../../src/mail/verdict.ts'
import type { Policy } from '../../src/smtp/server/question.ts'
import { roleOf } from '../../src/smtp/server/role.ts'
import { ServerSession } from '../../src/smtp/server/session.ts'
import type { Clock } from '../../src/world/clock.ts'
import { silent } from '../../src/world/log.ts'
import type { Connection, ListenAddress, Net, ServerIdentity } from '../../src/world/net.ts'
import { loadIdentity } from '../../src/world/node/identity.ts'
import { nodeClock, nodeNet, writeSelfMadeCertificate } from '../../src/world/node/index.ts'
import { stdioConnection } from '../../src/world/node/stdio.ts'
import { pump } from '../../src/world/pump.ts'
import { createWorld } from '../../src/world/sim/index.ts'
import { sessionSettings } from '../kit/smtp-settings.ts'

const SAID = [
  'EHLO client.test',
  'MAIL FROM:<a@client.test> SMTPUTF8',
  'RCPT TO:<b@example.org>',
  'RCPT TO:<nobody@example.org>',
  'DATA',
]
const CONTENT = `Subject: x\r\n\r\n..dots\r\n${'long '.repeat(20_000)}\r\n.\r\n`
const BEHIND = ['MAIL FROM:<>', 'RCPT TO:<b@example.org>', 'BDAT 3', 'abcBDAT 3 LAST', '\n\0fQUIT']

/** A policy that takes everything for b, and keeps it. */
function keeping(kept: string[]): Policy {
  let content = ''
  const yes = () => accept()
  return {
    connect: yes,
    hello: yes,
    login: () => ({ kind: 'denied', why: 'no accounts' }),
    mail: yes,
    rcpts: (_peer, _envelope, recipients) =>
      recipients.map(({ forwardPath }) =>
        forwardPath.local === 'b'
          ? accept()
          : { kind: 'refuse', code: 550, detail: '1.1', text: 'no' },
      ),
    data: yes,
    content(octets, from, to) {
      content += Buffer.from(octets.subarray(from, to)).toString('latin1')
      return undefined
    },
    accept() {
      kept.push(content)
      content = ''
      return [accept()]
    },
    abandon() {
      content = ''
    },
    verify: yes,
    start: () => accept(),
    exchange: () => accept(),
    expand: yes,
    closed() {},
  }
}

function serve(connection: Connection, clock: Clock, kept: string[]): void {
  const ends = { remote: connection.remote, local: connection.local }
  pump({
    connection,
    clock,
    log: silent,
    role: roleOf(keeping(kept)),
    session: sink => new ServerSession(sink, sessionSettings, ends, connection.tls),
  })
}

/** Says everything at once and hears everything. */
function talk(connection: Connection): Promise<string> {
  return new Promise(resolve => {
    let heard = ''
    connection.open({
      received(octets) {
        heard += Buffer.from(octets).toString()
      },
      ended: () => connection.end(),
      drained() {},
      closed: () => resolve(heard),
    })
    connection.write(`${[...SAID, CONTENT].join('\r\n')}${BEHIND.join('\r\n')}\r\n`)
  })
}

const CODES = [
  ['220'],
  ['250', '250', '250', '550', '354', '250'],
  ['250', '250', '250', '250', '221'],
].flat()

function codesOf(heard: string): readonly string[] {
  return heard
    .split('\r\n')
    .filter(line => /^\d{3} /.test(line))
    .map(line => line.slice(0, 3))
}

function verify(heard: string, kept: readonly string[]): void {
  assert.deepEqual(codesOf(heard), CODES, heard)
  assert.deepEqual(kept, [CONTENT.slice(0, -3).replace('\r\n..', '\r\n.'), 'abc\n\0f'])
}

let folder = ''
let identity: ServerIdentity

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postrider-streams-'))
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') }
  await writeSelfMadeCertificate(files, ['mx.example.org'])
  identity = loadIdentity(files, silent)
})
after(() => rm(folder, { recursive: true }))

/** Over a listener of some network. */
async function over(
  net: Net,
  where: ListenAddress,
  from: { readonly net: Net; readonly clock: Clock },
  secured = false,
): Promise<{ readonly heard: string; readonly kept: string[] }> {
  const kept: string[] = []
  const listening = await net.listen(where, connection => {
    const ready = secured ? connection.secure({ side: 'server', identity }) : Promise.resolve()
    void ready.then(() => serve(connection, from.clock, kept))
  })
  const { address, port } = listening.local
  const client = await from.net.connect({ address, port, timeoutMs: 5_000 })
  if (secured) {
    await client.secure({ side: 'client', servername: 'mx.example.org', trust: 'opportunistic' })
  }
  const heard = await talk(client)
  await listening.close()
  return { heard, kept }
}

const here = { net: nodeNet, clock: nodeClock }

test('over TCP', async () => {
  const { heard, kept } = await over(nodeNet, { kind: 'tcp', address: '127.0.0.1', port: 0 }, here)
  verify(heard, kept)
})

test('over TLS', async () => {
  const where = { kind: 'tcp', address: '127.0.0.1', port: 0 } as const
  const { heard, kept } = await over(nodeNet, where, here, true)
  verify(heard, kept)
})

test('over a Unix socket', async () => {
  const where = { kind: 'unix', path: join(folder, 'smtp.sock'), mode: 0o600 } as const
  const { heard, kept } = await over(nodeNet, where, here)
  verify(heard, kept)
})

test('over a pair of pipes, as standard input and output are', async () => {
  const kept: string[] = []
  const input = new PassThrough()
  const output = new PassThrough()
  serve(stdioConnection(input, output), nodeClock, kept)
  const client = stdioConnection(output, input)
  const heard = talk(client)
  // A pipe has no end of its own: QUIT's reply is the last thing said.
  output.on('data', octets => {
    if (String(octets).includes('\r\n221 ') || String(octets).startsWith('221 ')) client.destroy()
  })
  verify(await heard, kept)
})

test('over memory, in a simulated internet', async () => {
  const internet = createWorld({ seed: 1 })
  const server = internet.host({ name: 'mx.test', addresses: ['192.0.2.1'] })
  const client = internet.host({ name: 'client.test', addresses: ['192.0.2.2'] })
  const where = { kind: 'tcp', address: '192.0.2.1', port: 25 } as const
  const { net, clock } = client.world
  const { heard, kept } = await internet.complete(over(server.world.net, where, { net, clock }))
  verify(heard, kept)
})
