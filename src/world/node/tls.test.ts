/**
 * TLS over real sockets: which certificate is shown for which name (RFC 6066 §3), clients' certificates in both
 * directions, and nothing older than TLS 1.2 on either side (RFC 8996).
 */
import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, readFileSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connect, createSecureContext, createServer } from 'node:tls'
import type { TlsFacts } from '../../wire/effect.ts'
import { silent } from '../log.ts'
import type { Connection, ConnectionEvents, SecureOptions } from '../net.ts'
import { handshakes } from './connection.ts'
import { writeSelfMadeCertificate } from './demo-certificate.ts'
import { type IdentityFiles, loadIdentity } from './identity.ts'
import { nodeNet } from './net.ts'

let folder: string
const names = ['a.test', 'b.test', 'c.test'] as const
type Name = (typeof names)[number]

function filesOf(name: Name): IdentityFiles {
  return { certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) }
}

/** The certificate and key of a name, as texts. */
function pemOf(name: Name) {
  const { certFile, keyFile } = filesOf(name)
  return { certificate: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') }
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postrider-tls-'))
  for (const name of names) await writeSelfMadeCertificate(filesOf(name), [name])
})
after(() => rmSync(folder, { recursive: true }))

const quiet: ConnectionEvents = { received() {}, ended() {}, drained() {}, closed() {} }

const BINDINGS = ['tls-exporter', 'tls-unique', 'tls-server-end-point'] as const

/** What can be said of the connection only as long as it stands, said. */
function bound(facts: TlsFacts): TlsFacts {
  const { bindings: of } = facts
  return of
    ? { ...facts, bindings: Object.fromEntries(BINDINGS.map(name => [name, of[name]])) }
    : facts
}

/** Both ends' facts, or why there are none; the connection is closed then. */
async function shake(
  server: Omit<SecureOptions & { side: 'server' }, 'side'>,
  client: Omit<SecureOptions & { side: 'client' }, 'side' | 'trust'>,
): Promise<(TlsFacts | string)[]> {
  const accepted = Promise.withResolvers<Connection>()
  const listening = await nodeNet.listen(
    { kind: 'tcp', address: '127.0.0.1', port: 0 },
    accepted.resolve,
  )
  const { port } = listening.local
  const near = await nodeNet.connect({ address: '127.0.0.1', port, timeoutMs: 1000 })
  const far = await accepted.promise
  near.open(quiet)
  far.open(quiet)
  const told = (facts: Promise<TlsFacts>) =>
    facts.then(bound, (error: NodeJS.ErrnoException) => error.code ?? error.message)
  const both = await Promise.all([
    told(far.secure({ side: 'server', ...server })),
    told(near.secure({ side: 'client', trust: 'opportunistic', ...client })),
  ])
  near.destroy()
  far.destroy()
  await listening.close()
  return both
}

test('of several certificates the name that is asked for chooses, else the first is shown', async () => {
  const identity = loadIdentity([filesOf('a.test'), filesOf('b.test')], silent)
  for (const [servername, shown] of [
    ['b.test', 'b.test'],
    ['B.TEST', 'b.test'],
    ['a.test', 'a.test'],
    ['nobody.test', 'a.test'],
    ['127.0.0.1', 'a.test'],
  ] as const) {
    const [, seen] = await shake({ identity }, { servername })
    assert.equal(typeof seen === 'object' && seen.peerName, shown, servername)
  }
})

test('a client that asks is told the chain, and why it is not trusted', async () => {
  const identity = loadIdentity([filesOf('a.test')], silent)
  const roots = pemOf('a.test').certificate
  for (const [client, unverified] of [
    [{ servername: 'a.test' }, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    [{ servername: 'a.test', roots }, undefined],
    [{ servername: 'b.test', roots }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ] as const) {
    const [, seen] = await shake({ identity }, { ...client, chain: true })
    assert.ok(typeof seen === 'object' && seen.chain !== undefined)
    assert.equal(seen.unverified, unverified)
    assert.equal(seen.verified, unverified === undefined)
    // A certificate that is its own issuer stands there once.
    assert.equal(seen.chain.length, 1)
    const [own] = seen.chain
    assert.ok(own?.names.includes('a.test'), own?.names.join())
    assert.equal(own?.subject, own?.issuer)
    const { validFrom = Number.NaN, validTo = Number.NaN } = own ?? {}
    assert.ok(validFrom < Date.now() && validTo > Date.now())
  }
  const [, silently] = await shake({ identity }, { servername: 'a.test' })
  assert.equal(typeof silently === 'object' && silently.chain, undefined)
})

test('for who connects and says nothing no handshake is begun', async () => {
  const real = loadIdentity([filesOf('a.test')], silent)
  let begun = 0
  const identity = {
    ...real,
    several: false,
    current: (...asked: Parameters<typeof real.current>) => {
      begun += 1
      return real.current(...asked)
    },
  }
  const accepted = Promise.withResolvers<Connection>()
  const listening = await nodeNet.listen(
    { kind: 'tcp', address: '127.0.0.1', port: 0 },
    accepted.resolve,
  )
  const { port } = listening.local
  const near = await nodeNet.connect({ address: '127.0.0.1', port, timeoutMs: 1000 })
  const far = await accepted.promise
  const secured = far.secure({ side: 'server', identity })
  for (let turns = 0; turns < 10; turns++) await new Promise(setImmediate)
  assert.deepEqual([begun, handshakes.count], [0, 1])
  near.open(quiet)
  const facts = near.secure({ side: 'client', servername: 'a.test', trust: 'opportunistic' })
  assert.equal((await secured).protocol, (await facts).protocol)
  assert.deepEqual([begun, handshakes.count], [1, 0])
  near.destroy()
  far.destroy()
  await listening.close()
})

test('who ends in the midst of his hello, or before it, is gone at once', async () => {
  const identity = loadIdentity([filesOf('a.test')], silent)
  const all: Promise<void>[] = []
  const listening = await nodeNet.listen({ kind: 'tcp', address: '127.0.0.1', port: 0 }, far => {
    all.push(assert.rejects(far.secure({ side: 'server', identity })))
    if (all.length === 20) come.resolve()
  })
  const come = Promise.withResolvers<void>()
  const { port } = listening.local
  for (let n = 0; n < 20; n++) {
    const near = await nodeNet.connect({ address: '127.0.0.1', port, timeoutMs: 1000 })
    near.open(quiet)
    if (n % 4 > 0) near.write(Buffer.from([22, 3, 1, 0, 200, 1].slice(0, n)))
    if (n % 4 > 1) await new Promise(setImmediate)
    near.end()
  }
  await come.promise
  await Promise.all(all)
  assert.equal(handshakes.count, 0)
  await listening.close()
})

test('who ends right behind his handshake is heard to, however many do so at once', async () => {
  const identity = loadIdentity([filesOf('a.test')], silent)
  const all: Promise<void>[] = []
  const come = Promise.withResolvers<void>()
  const listening = await nodeNet.listen({ kind: 'tcp', address: '127.0.0.1', port: 0 }, far => {
    const heard = Promise.withResolvers<void>()
    far.open({ ...quiet, ended: heard.resolve, closed: () => heard.resolve() })
    far.secure({ side: 'server', identity }).catch(() => heard.resolve())
    all.push(heard.promise.then(() => far.destroy()))
    if (all.length === 30) come.resolve()
  })
  const { port } = listening.local
  for (let n = 0; n < 30; n++) {
    const near = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => near.end())
    near.on('error', () => {})
  }
  await come.promise
  await Promise.all(all)
  await listening.close()
})

test('a handshake that stands while a thousand others of its address want in is cut', async () => {
  const identity = loadIdentity([filesOf('a.test')], silent)
  const accepted = Promise.withResolvers<Connection>()
  const where = { kind: 'tcp', address: '127.0.0.1', port: 0 } as const
  const listening = await nodeNet.listen(where, accepted.resolve)
  const { port } = listening.local
  const near = await nodeNet.connect({ address: '127.0.0.1', port, timeoutMs: 1000 })
  near.open(quiet)
  const far = await accepted.promise
  const secured = far.secure({ side: 'server', identity })
  assert.equal(handshakes.count, 1)
  const others = Array.from({ length: 1_000 }, () => ({ from: '127.0.0.1', cut: assert.fail }))
  for (const other of others) handshakes.begin(other)
  await assert.rejects(secured, { code: 'ECROWDED' })
  for (const other of others) handshakes.over(other)
  assert.equal(handshakes.count, 0)
  near.destroy()
  await listening.close()
})

test('a pinned certificate is believed whoever signed it and whatever its name; another is not', async () => {
  const identity = loadIdentity([filesOf('a.test')], silent)
  const [a, b] = (['a.test', 'b.test'] as const).map(
    name => new X509Certificate(pemOf(name).certificate).fingerprint256,
  ) as [string, string]
  const [, seen] = await shake({ identity }, { servername: 'x.test', pins: [b, a] })
  assert.ok(typeof seen === 'object' && seen.verified && seen.unverified === undefined)
  const [, other] = await shake({ identity }, { servername: 'a.test', pins: [b] })
  assert.equal(other, 'ERR_TLS_CERT_NOT_PINNED')
})

test('each of several certificates is replaced when its files change', async () => {
  const second = { certFile: join(folder, 'x.crt'), keyFile: join(folder, 'x.key') }
  const put = (name: Name) => {
    copyFileSync(filesOf(name).certFile, second.certFile)
    copyFileSync(filesOf(name).keyFile, second.keyFile)
  }
  put('b.test')
  const identity = loadIdentity([filesOf('a.test'), second], silent)
  put('c.test')
  assert.equal(identity.refresh(), true)
  for (const [servername, shown] of [
    ['c.test', 'c.test'],
    ['b.test', 'a.test'],
  ] as const) {
    const [, seen] = await shake({ identity }, { servername })
    assert.equal(typeof seen === 'object' && seen.peerName, shown)
  }
  assert.equal(identity.refresh(), false)
})

for (const [shows, required, expected] of [
  [undefined, false, { verified: false }],
  ['b.test', false, { verified: true, peerName: 'b.test' }],
  ['c.test', false, { verified: false, peerName: 'c.test' }],
  [undefined, true, 'ERR_CLIENT_CERTIFICATE'],
  ['b.test', true, { verified: true, peerName: 'b.test' }],
  ['c.test', true, 'ERR_CLIENT_CERTIFICATE'],
] as const) {
  const what = shows === undefined ? 'without a certificate' : `with that of ${shows}`
  test(`a client ${what}, ${required ? 'required' : 'asked for'} to be known by b.test`, async () => {
    for (const several of [false, true]) {
      const first = filesOf('a.test')
      const identity = loadIdentity(several ? [first, filesOf('c.test')] : first, silent)
      const clients = { roots: pemOf('b.test').certificate, required }
      const own = shows === undefined ? {} : { own: pemOf(shows) }
      const [seen] = await shake({ identity, clients }, { servername: 'a.test', ...own })
      if (typeof expected === 'string') {
        assert.equal(seen, expected)
        continue
      }
      assert.ok(typeof seen === 'object')
      assert.equal(seen.verified, expected.verified)
      assert.equal(seen.peerName, 'peerName' in expected ? expected.peerName : undefined)
      assert.equal(seen.fingerprint !== undefined, shows !== undefined)
      if (shows !== undefined) assert.match(seen.subject ?? '', new RegExp(`CN=${shows}`))
    }
  })
}

test('a client is asked for a certificate only where that is wanted', async () => {
  const identity = loadIdentity(filesOf('a.test'), silent)
  const [seen] = await shake({ identity }, { servername: 'a.test', own: pemOf('b.test') })
  assert.ok(typeof seen === 'object')
  assert.deepEqual([seen.verified, seen.peerName, seen.fingerprint], [false, undefined, undefined])
})

/** Old protocols need old ciphers, which OpenSSL has at its lowest level alone. */
const old = { ciphers: 'DEFAULT@SECLEVEL=0', minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const

test('as a server nothing older than TLS 1.2 is spoken', async () => {
  const listening = await nodeNet.listen(
    { kind: 'tcp', address: '127.0.0.1', port: 0 },
    connection => {
      connection.open(quiet)
      const identity = loadIdentity(filesOf('a.test'), silent)
      connection.secure({ side: 'server', identity }).catch(() => {})
    },
  )
  const { port } = listening.local
  const attempt = (versions: object) =>
    new Promise<string>(resolve => {
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...versions })
      socket.on('secureConnect', () => {
        resolve(String(socket.getProtocol()))
        socket.destroy()
      })
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'))
    })
  assert.match(await attempt(old), /PROTOCOL_VERSION|ECONNRESET/)
  assert.equal(await attempt({ maxVersion: 'TLSv1.2' }), 'TLSv1.2')
  await listening.close()
})

test('a client of TLS 1.2 that wants a second handshake is told no', async () => {
  const listening = await nodeNet.listen(
    { kind: 'tcp', address: '127.0.0.1', port: 0 },
    accepted => {
      accepted.open(quiet)
      void accepted.secure({ side: 'server', identity: loadIdentity([filesOf('a.test')], silent) })
    },
  )
  const client = connect({
    host: '127.0.0.1',
    port: listening.local.port,
    rejectUnauthorized: false,
    maxVersion: 'TLSv1.2',
  })
  await once(client, 'secureConnect')
  const { promise: told, resolve: tell } = Promise.withResolvers<string>()
  client.once('error', (error: NodeJS.ErrnoException) => tell(error.code ?? error.message))
  client.renegotiate({}, () => tell('it had one'))
  assert.equal(await told, 'ERR_SSL_NO_RENEGOTIATION')
  client.destroy()
  await listening.close()
})

test('as a client nothing older than TLS 1.2 is spoken', async () => {
  const { certificate: cert, key } = pemOf('a.test')
  for (const [versions, spoken] of [
    [old, false],
    [{ maxVersion: 'TLSv1.2' }, true],
  ] as const) {
    const server = createServer({ cert, key, ...versions })
    server.on('tlsClientError', () => {})
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const place = server.address()
    const port = typeof place === 'object' && place ? place.port : 0
    const connection = await nodeNet.connect({ address: '127.0.0.1', port, timeoutMs: 1000 })
    connection.open(quiet)
    const secured = connection.secure({
      side: 'client',
      servername: 'a.test',
      trust: 'opportunistic',
    })
    if (spoken) assert.equal((await secured).protocol, 'TLSv1.2')
    else await assert.rejects(secured)
    connection.destroy()
    await new Promise(resolve => server.close(resolve))
  }
})

test('both ends know what a login may be bound to (RFC 9266, RFC 5929)', async () => {
  for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
    const only = { current: () => limited(version) }
    const [far, near] = await shake({ identity: only }, { servername: 'a.test' })
    assert.ok(typeof far === 'object' && typeof near === 'object')
    assert.equal(far.protocol, version)
    const unique = version === 'TLSv1.3' ? 'tls-exporter' : 'tls-unique'
    for (const name of BINDINGS) {
      const wanted = name === unique || name === 'tls-server-end-point'
      assert.equal(typeof far.bindings?.[name], wanted ? 'string' : 'undefined', name)
      assert.equal(far.bindings?.[name], near.bindings?.[name], name)
    }
    const raw = new X509Certificate(readFileSync(filesOf('a.test').certFile)).raw
    const hash = createHash('sha256').update(raw).digest('base64')
    assert.equal(near.bindings?.['tls-server-end-point'], hash)
    const [other] = await shake({ identity: only }, { servername: 'a.test' })
    assert.ok(typeof other === 'object')
    assert.notEqual(other.bindings?.[unique], far.bindings?.[unique])
  }
})

/** The same certificate under one version of TLS alone. */
function limited(maxVersion: 'TLSv1.2' | 'TLSv1.3'): object {
  const { certificate, key } = pemOf('a.test')
  return createSecureContext({ cert: certificate, key, maxVersion })
}
