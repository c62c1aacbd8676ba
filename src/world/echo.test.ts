/**
 * One toy protocol, through the pump, over the simulated internet and over the loopback: the same
 * body of test for both, which is what makes the simulated one worth trusting. It is also the
 * smallest example of a session, a role and a pump.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Session, Sink } from '../wire/effect.ts'
import type { SecureOptions, ServerIdentity } from './net.ts'
import { loadIdentity } from './node/identity.ts'
import { nodeWorld, writeSelfMadeCertificate } from './node/index.ts'
import { pump } from './pump.ts'
import { createWorld, simIdentity } from './sim/index.ts'
import type { World } from './world.ts'

/** Lines in, what the role makes of them out. */
function echoServer(sink: Sink<string, string>): Session<string> {
  let rest = ''
  let isAsking = false
  const work = () => {
    for (let end = rest.indexOf('\n'); end >= 0 && !isAsking; end = rest.indexOf('\n')) {
      const line = rest.slice(0, end)
      rest = rest.slice(end + 1)
      if (line === 'TLS') {
        sink.send('go\n')
        sink.secure()
      } else if (line === 'QUIT') {
        sink.send('bye\n')
        sink.close()
      } else if (line === 'BIG') {
        sink.stream(Buffer.alloc(1_000_000, 'x'))
        sink.send('\n')
      } else {
        const answer = sink.ask(line)
        if (answer === undefined) isAsking = true
        else sink.send(`${answer}\n`)
      }
    }
  }
  return {
    start: () => sink.send('hello\n'),
    receive(octets) {
      rest += Buffer.from(octets).toString('latin1')
      work()
    },
    answer(answer) {
      isAsking = false
      sink.send(`${answer}\n`)
      work()
    },
    secured: () => {},
    drained: () => {},
    tell: () => {},
    expire: () => sink.close(),
    end: () => {},
    patienceMs: 60_000,
    step: 0,
    get backlogOctets() {
      return rest.length
    },
  }
}

/** Sends line after line, each when the last is answered, and notes what comes back. */
function echoClient(lines: readonly string[], heard: string[]) {
  return (sink: Sink<never, never>): Session<never> => {
    let rest = ''
    let next = 0
    return {
      start: () => {},
      receive(octets) {
        rest += Buffer.from(octets).toString('latin1')
        for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
          const line = rest.slice(0, end)
          rest = rest.slice(end + 1)
          heard.push(line.length > 100 ? `${line.length} octets` : line)
          if (line === 'go') sink.secure()
          else this.drained()
        }
      },
      answer: () => {},
      secured(tls) {
        heard.push(`${tls.protocol} verified=${tls.verified}`)
        this.drained()
      },
      drained() {
        const line = lines[next]
        if (line === undefined || heard.length <= next) return
        next += 1
        sink.send(`${line}\n`)
      },
      tell: () => {},
      expire: () => sink.close(),
      end: () => sink.close(),
      patienceMs: 60_000,
      step: 0,
      backlogOctets: 0,
    }
  }
}

/** The test body: a dialogue between two worlds, whichever they are. */
async function dialogue(
  server: World,
  client: World,
  at: {
    readonly address: string
    readonly identity: ServerIdentity
    readonly trust: Partial<SecureOptions>
  },
): Promise<string[]> {
  const listening = await server.net.listen(
    { kind: 'tcp', address: at.address, port: 0 },
    connection => {
      pump<string, string>({
        connection,
        clock: server.clock,
        log: server.log,
        identity: () => ({ side: 'server', identity: at.identity }),
        role: {
          ask: line => (line.startsWith('slow') ? Promise.resolve(line) : line.toUpperCase()),
          failed: () => 'failed',
        },
        session: echoServer,
      })
    },
  )
  const connection = await client.net.connect({
    address: at.address,
    port: listening.local.port,
    timeoutMs: 1000,
  })
  const heard: string[] = []
  const { closed } = pump<never, never>({
    connection,
    clock: client.clock,
    log: client.log,
    identity: () =>
      ({ side: 'client', servername: 'mx.test', trust: 'verify', ...at.trust }) as SecureOptions,
    role: {
      ask: () => {
        throw new Error('a client asks nothing')
      },
      failed: (): never => {
        throw new Error('a client asks nothing')
      },
    },
    session: echoClient(['a', 'slow b', 'TLS', 'c', 'BIG', 'QUIT'], heard),
  })
  await closed
  await listening.close()
  return heard
}

const EXPECTED = [
  'hello',
  'A',
  'slow b',
  'go',
  'TLSv1.3 verified=true',
  'C',
  '1000000 octets',
  'bye',
]

test('a dialogue with TLS and a large answer, over the simulated internet', async () => {
  for (let seed = 0; seed < 20; seed++) {
    const internet = createWorld({ seed })
    const server = internet.host({ name: 'mx.test', addresses: ['192.0.2.1'] })
    const client = internet.host({ name: 'client.test', addresses: ['192.0.2.2'] })
    const at = { address: '192.0.2.1', identity: simIdentity(['mx.test']), trust: {} }
    const heard = await internet.complete(dialogue(server.world, client.world, at))
    assert.deepEqual(heard, EXPECTED, `seed ${seed}`)
  }
})

test('the same dialogue over the loopback of the machine', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'postrider-'))
  t.after(() => rm(directory, { recursive: true }))
  const files = { certFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') }
  await writeSelfMadeCertificate(files, ['mx.test'])
  const world = await nodeWorld({
    bodiesDirectory: join(directory, 'bodies'),
    log: { level: 'silent' },
  })
  const roots = readFileSync(files.certFile, 'utf8')
  const at = { address: '127.0.0.1', identity: loadIdentity(files, world.log), trust: { roots } }
  assert.deepEqual(await dialogue(world, world, at as never), EXPECTED)
})
