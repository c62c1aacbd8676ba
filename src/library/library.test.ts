/** What docs/library.md promises: the embedded server and client against each other, in this process. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, createServer as createPlain, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { accept, defer, refuse } from '../mail/verdict.ts'
import { writeSelfMadeCertificate } from '../world/node/demo-certificate.ts'
import { createClient } from './create-client.ts'
import { createServer, type EmbeddedServer } from './create-server.ts'
import type { ReceivedMessage } from './taking.ts'

const host = '127.0.0.1'
const content = Buffer.from('Subject: hi\r\n\r\nhi\r\n')
const one = { from: 'ann@example.net', to: ['joe@example.org'], content }
const login = { username: 'ann', password: 'secret' }
const received: ReceivedMessage[] = []
const streamed: { octets: number; why?: string }[] = []
let folder: string
let roots: string
let connections = 0
let plain: EmbeddedServer
let secure: EmbeddedServer
let plainPort: number
let securePort: number

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postrider-library-'))
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') }
  await writeSelfMadeCertificate(files, ['localhost', host])
  roots = await readFile(files.certFile, 'utf8')
  plain = createServer({
    message: message => {
      received.push(message)
    },
    policy: {
      connect: () => {
        connections++
        return accept()
      },
      rcpts: (_peer, _envelope, recipients) =>
        recipients.map(({ forwardPath }) => WORDS[forwardPath.local] ?? accept()),
    },
  })
  plainPort = await plain.listen()
  secure = createServer({
    tls: { certificate: files.certFile, key: files.keyFile },
    settings: { mechanisms: ['PLAIN'], requireAuth: true, sizeMaxBytes: 1_000_000 },
    policy: {
      login: (_peer, question) =>
        question.kind === 'password' && question.password === login.password
          ? { kind: 'account', account: { id: 1, address: 'ann@example.net' } }
          : { kind: 'denied', why: 'wrong' },
    },
    stream: async ({ envelope, content: arriving }) => {
      if (envelope.recipients[0]?.forwardPath.local === 'early')
        return refuse(554, '6.0', 'not that')
      const told: { octets: number; why?: string } = { octets: 0 }
      streamed.push(told)
      try {
        for await (const chunk of arriving) told.octets += (chunk as Buffer).length
      } catch (error) {
        told.why = String(error)
        throw error
      }
      return accept(`took ${told.octets}`)
    },
  })
  securePort = await secure.listen()
})

after(async () => {
  await Promise.all([plain.close(), secure.close()])
  await rm(folder, { recursive: true })
})

const WORDS: Record<string, ReturnType<typeof refuse>> = {
  nobody: refuse(550, '1.1', 'nobody here'),
  busy: defer(451, '3.0', 'later'),
}

const said = (outcomes: readonly { readonly kind: string; readonly status: string }[]) =>
  outcomes.map(({ kind, status }) => `${kind} ${status}`)

test('an outcome for each recipient, in order; what is no address is not sent', async () => {
  const client = createClient({ host, port: plainPort })
  const to = [
    'Joe <joe@example.org>',
    'nobody@example.org',
    'bad',
    'a@b.example, c@d.example',
    'busy@example.org',
  ]
  const { outcomes } = await client.send({ ...one, from: 'Ann <ann@example.net>', to })
  assert.deepEqual(said(outcomes), [
    'delivered 2.0.0',
    'failed 5.1.1',
    'failed 5.1.3',
    'failed 5.1.3',
    'deferred 4.3.0',
  ])
  const { envelope, content: octets } = received.at(-1) as ReceivedMessage
  assert.deepEqual(envelope.sender.reversePath, { local: 'ann', domain: 'example.net' })
  assert.deepEqual(envelope.recipients, [{ forwardPath: { local: 'joe', domain: 'example.org' } }])
  assert.deepEqual(Buffer.from(octets), content)
  const wrong = await client.send({ ...one, from: 'ann@', to: ['joe@example.org'] })
  assert.deepEqual(said(wrong.outcomes), ['failed 5.1.7'])
  const nobody = await client.send({ ...one, to: ['bad'] })
  assert.deepEqual(said(nobody.outcomes), ['failed 5.1.3'])
})

test('addresses are taken as programs write them', async () => {
  const client = createClient({ host, port: plainPort })
  const to = [
    'jöe@bücher.example',
    'a..b@example.org',
    '"a b"@example.org',
    'joe@[192.0.2.1]',
    'Postmaster',
    'joe@example.org (Joe)',
  ]
  const { outcomes } = await client.send({ ...one, to })
  assert.deepEqual([...new Set(said(outcomes))], ['delivered 2.0.0'])
  const { sender, recipients } = (received.at(-1) as ReceivedMessage).envelope
  assert.equal(sender.utf8, true)
  assert.deepEqual(
    recipients.map(({ forwardPath }) => forwardPath.local),
    ['jöe', 'a..b', 'a b', 'joe', 'Postmaster', 'joe'],
  )
})

test('what is asked for goes with the envelope', async () => {
  const client = createClient({ host, port: plainPort })
  await client.send({ ...one, ret: 'HDRS', envelopeId: 'an id', notify: ['SUCCESS', 'DELAY'] })
  const { sender, recipients } = (received.at(-1) as ReceivedMessage).envelope
  assert.equal(sender.ret, 'HDRS')
  assert.equal(sender.envelopeId, 'an id')
  assert.deepEqual(recipients[0]?.notify, ['SUCCESS', 'DELAY'])
})

test('kept connections carry a hundred messages each, others wait', async () => {
  const before = connections
  const client = createClient({ host, port: plainPort, connections: 2 })
  const sent = await Promise.all(Array.from({ length: 250 }, () => client.send(one)))
  assert.ok(sent.every(({ outcomes }) => outcomes[0]?.kind === 'delivered'))
  const used = connections - before
  assert.ok(used >= 3 && used <= 5, `${used} connections`)
  const dialogue = sent.at(-1)?.dialogue ?? ''
  assert.equal(dialogue.split('C: MAIL').length, 2, 'one message, one dialogue')
  await client.close()
  assert.throws(() => createClient({ host, port: plainPort, connections: 0 }), RangeError)
})

test('who waits when the client is closed goes by the connections there are, and each says goodbye first', async t => {
  const said: string[] = []
  const opened: Socket[] = []
  const server = createPlain(socket => {
    opened.push(socket)
    socket.write('220 here\r\n')
    let content = false
    createInterface({ input: socket }).on('line', line => {
      if (content && line !== '.') return
      if (!content) said.push(line.slice(0, 4).toUpperCase())
      const begins = line === 'DATA'
      if (line === 'QUIT') socket.end('221 bye\r\n')
      else socket.write(begins ? '354 go on\r\n' : '250 ok\r\n')
      content = begins
    })
  })
  t.after(() => {
    server.close()
    for (const socket of opened) socket.destroy()
  })
  await new Promise<void>(resolve => void server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  const client = createClient({ host, port, connections: 2 })
  const sending = Array.from({ length: 9 }, () => client.send(one))
  await client.close()
  assert.deepEqual([opened.length, said.filter(verb => verb === 'QUIT').length], [2, 2])
  const sent = await Promise.all(sending)
  assert.ok(sent.every(({ outcomes }) => outcomes[0]?.kind === 'delivered'))
})

test('a server that comes back is found by a client that kept connections to it', async () => {
  const taken: number[] = []
  const message = () => {
    taken.push(1)
  }
  const first = createServer({ message })
  const port = await first.listen()
  const client = createClient({ host, port, connections: 1 })
  assert.deepEqual(said((await client.send(one)).outcomes), ['delivered 2.0.0'])
  await first.close()
  assert.deepEqual(said((await client.send(one)).outcomes), ['deferred 4.4.1'])
  const second = createServer({ message })
  await second.listen(port)
  assert.deepEqual(said((await client.send(one)).outcomes), ['delivered 2.0.0'])
  assert.equal(taken.length, 2)
  await client.close()
  await second.close()
})

test('a stream ends with its last octet, and breaks where the message does', async () => {
  const client = createClient({ host, port: securePort, tls: 'require', roots, login })
  const whole = await client.send({ ...one, content: lines(9), sizeOctets: 900_000 })
  assert.deepEqual(said(whole.outcomes), ['delivered 2.0.0'])
  assert.match(whole.outcomes[0]?.reason ?? '', /took 900000/)
  const long = await client.send({ ...one, content: lines(20) })
  assert.deepEqual(said(long.outcomes), ['failed 5.3.4'])
  assert.match(streamed.at(-1)?.why ?? '', /not received whole/)
  const early = await client.send({ ...one, to: ['early@example.org'], content: lines(9) })
  assert.deepEqual(said(early.outcomes), ['failed 5.6.0'])
})

test('troubles are outcomes with these statuses', async () => {
  const silent = createPlain(() => {})
  await new Promise<void>(resolve => silent.listen(0, host, resolve))
  const { port: silentPort } = silent.address() as { port: number }
  silent.on('connection', socket => socket.on('error', () => {}))
  const base = { host, port: securePort, tls: 'require' as const }
  const table = [
    ['no server', { host, port: 1 }, 'deferred 4.4.1'],
    ['no answer in time', { host, port: silentPort, replyTimeoutMs: 50 }, 'deferred 4.4.2'],
    ['a certificate that is not trusted', base, 'deferred 4.7.5'],
    ['no TLS', { host, port: plainPort, tls: 'require' as const }, 'deferred 4.7.4'],
    ['no login', { ...base, roots }, 'failed 5.7.0'],
    ['a wrong password', { ...base, roots, login: { ...login, password: 'x' } }, 'failed 5.7.8'],
  ] as const
  const clients = table.map(([, options]) => createClient(options))
  const sent = await Promise.all(clients.map(client => client.send(one)))
  assert.deepEqual(
    sent.map(({ outcomes }, at) => [table[at]?.[0], ...said(outcomes)]),
    table.map(([what, , status]) => [what, status]),
  )
  const reasons = sent.map(({ outcomes }) => outcomes[0]?.reason)
  assert.equal(reasons[2], 'self-signed certificate')
  const clear = createClient({ host, port: plainPort, tls: 'implicit' })
  const [outcome] = (await clear.send(one)).outcomes
  assert.equal(outcome?.reason, `no TLS with ${host} port ${plainPort}: wrong version number`)
  silent.close()
})

async function* lines(hundredThousands: number): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < hundredThousands; n++) yield Buffer.alloc(100_000, `${'x'.repeat(98)}\r\n`)
}
