import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Delivery } from '../mailbox/deliver.ts'
import { MaildropLocks } from '../mailbox/lock.ts'
import { collected } from '../mailbox/octets.ts'
import { deliver } from '../mailbox/writer.ts'
import { settings } from '../pop3/scripted.ts'
import type { Answer, Question, ServerEvent } from '../pop3/server/question.ts'
import { ServerSession } from '../pop3/server/session.ts'
import type { LoginAnswer, LoginQuestion } from '../sasl/mechanism.ts'
import { type MemoryStore, openMemoryStore } from '../store/memory.ts'
import { reader, writer } from '../store/store.ts'
import { silent } from '../world/log.ts'
import type { Connection } from '../world/net.ts'
import { pump } from '../world/pump.ts'
import { createWorld, type Host, type Internet, simIdentity } from '../world/sim/index.ts'
import type { Value } from '../world/sql.ts'
import { pop3Role } from './pop3.ts'
import { FetchError, type FetchOptions, fetchAll } from './pop3-fetch.ts'

const run = writer('test.run', (tx, [sql, ...values]: [string, ...Value[]]) =>
  tx.run(sql, ...values),
)
const bodies = reader('test.bodies', async tx => (await tx.all('SELECT id FROM body')).length)

const roots = {
  secure: { side: 'client', servername: 'mail.example.org', trust: 'verify' },
} as const
const options: FetchOptions = {
  address: '192.0.2.1',
  port: 110,
  credentials: { username: 'joe', password: 'secret' },
  tls: 'startTls',
  ...roots,
  mechanisms: [],
  remove: false,
  timeoutMs: 60_000,
}

function login(question: LoginQuestion): LoginAnswer {
  return question.kind === 'password' && question.password === 'secret'
    ? { kind: 'account', account: { id: 1, address: 'joe@example.org' } }
    : { kind: 'denied', why: 'no' }
}

interface Town {
  readonly internet: Internet
  readonly server: Host
  readonly client: Host
  readonly store: MemoryStore
  /** Lets virtual time pass until the promise has settled. */
  readonly until: <T>(promise: Promise<T>) => Promise<T>
}

async function town(seed: number): Promise<Town> {
  const internet = createWorld({ seed })
  internet.network.faults.cut = 'random'
  const server = internet.host({ name: 'mail.example.org', addresses: ['192.0.2.1'] })
  const client = internet.host({ name: 'mua.example.net', addresses: ['192.0.2.2'] })
  const store = await openMemoryStore()
  const { world } = server
  const access = {
    world,
    store,
    login,
    maildropLocks: new MaildropLocks(),
    keeps: () => false,
    log: silent,
  }
  await world.net.listen({ kind: 'tcp', address: '0.0.0.0', port: 110 }, connection => {
    serve(connection, access, world.clock)
  })
  const until = <T>(promise: Promise<T>) => internet.complete(promise)
  return { internet, server, client, store, until }
}

function serve(
  connection: Connection,
  access: Parameters<typeof pop3Role>[0],
  clock: Host['world']['clock'],
) {
  const { local, remote } = connection
  pump<Question, Answer, ServerEvent>({
    connection,
    clock,
    role: pop3Role(access, { local, remote }),
    session: sink =>
      new ServerSession(sink, { ...settings, plaintextAuth: false }, { local, remote }),
    identity: () => ({ side: 'server', identity: simIdentity(['mail.example.org']) }),
    log: silent,
  })
}

const head = Buffer.from('Delivered-To: joe@example.org\r\n')

/** Text of CRLF lines, some of them with dots in front. */
function text(size: number): Buffer {
  const line = '.dots in front, and then some words to fill the line\r\n'
  return Buffer.from(`Subject: ${size}\r\n\r\n${line.repeat(Math.ceil(size / line.length))}`)
}

async function put(place: Town, id: number, octets: Buffer, staged = false): Promise<Buffer> {
  let name: string | null = null
  if (staged) {
    const body = await place.until(place.server.world.disk.stage())
    await place.until(body.write(octets))
    await place.until(body.seal())
    name = body.name
  }
  const row = [id, octets.length, staged ? null : octets, name]
  await place.store.write(run, ['INSERT INTO body VALUES (?1, ?2, ?3, ?4)', ...row])
  const item: Delivery = {
    accountId: 1,
    mailboxName: 'INBOX',
    messageId: `m${id}`,
    bodyId: id,
    head,
    sizeOctets: head.length + octets.length,
    internalDate: 0,
    flags: '',
  }
  await place.store.write(deliver, [item])
  return Buffer.concat([head, octets])
}

for (const mechanisms of [[], ['PLAIN'], ['LOGIN']]) {
  test(`messages come back octet for octet (login by ${mechanisms[0] ?? 'USER'}), and go when told`, async () => {
    const place = await town(1)
    const sent = [
      await put(place, 1, text(100)),
      await put(place, 2, text(120_000)),
      await put(place, 3, text(1_500_000), true),
    ]
    const wanted = { ...options, mechanisms, remove: true }
    const got = await place.until(fetchAll(place.client.world, wanted))
    assert.equal(got.length, 3)
    for (const [n, message] of got.entries()) {
      assert.ok(sent[n]?.equals(message.octets), `message ${n + 1} is what was delivered`)
      assert.equal(message.sizeOctets, message.octets.length)
    }
    assert.equal(new Set(got.map(message => message.id)).size, 3)
    assert.deepEqual(await place.until(fetchAll(place.client.world, options)), [])
    assert.equal(await place.store.read(bodies, null), 0)
    assert.deepEqual(place.server.disk.names, [], 'the staged file is removed')
  })
}

test('what is not removed is there again, under the same unique-ids', async () => {
  const place = await town(2)
  await put(place, 1, text(10))
  await put(place, 2, text(20))
  const first = await place.until(fetchAll(place.client.world, options))
  const second = await place.until(fetchAll(place.client.world, options))
  assert.deepEqual(second, first)
})

test('who has not asked for UTF8 is given a header in ASCII (RFC 6858)', async () => {
  const place = await town(5)
  const long = Buffer.from(`Subject: Grüße\r\n\r\n${'ü\r\n'.repeat(50_000)}`)
  await put(place, 1, Buffer.from('To: jørn@x.no\r\nSubject: Grüße\r\n\r\nü\r\n'))
  await put(place, 2, long, true)
  const got = await place.until(fetchAll(place.client.world, options))
  const [short, staged] = got.map(({ octets }) => Buffer.from(octets))
  const header = short?.toString('latin1').split('\r\n\r\n')[0] ?? ''
  assert.match(header, /^[\x00-\x7f]*invalid@internationalized-address\.invalid[\x00-\x7f]*$/)
  assert.match(short?.toString('utf8') ?? '', /\r\n\r\nü\r\n$/)
  const body = long.subarray(long.indexOf('\r\n\r\n'))
  const from = staged?.indexOf('\r\n\r\n') ?? 0
  assert.ok(staged?.subarray(from).equals(body))
})

test('a wrong password is refused with the code of RFC 3206', async () => {
  const place = await town(3)
  const wrong = { ...options, credentials: { username: 'joe', password: 'guess' } }
  await assert.rejects(place.until(fetchAll(place.client.world, wrong)), FetchError)
})

test('a removal that cannot be made durable is told and can be tried again', async () => {
  const place = await town(4)
  await put(place, 1, text(10))
  place.store.fail({ at: 'before commit', how: 'full' })
  const removing = { ...options, remove: true }
  await assert.rejects(place.until(fetchAll(place.client.world, removing)), /SYS|not removed/)
  assert.equal((await place.until(fetchAll(place.client.world, removing))).length, 1)
  assert.deepEqual(await place.until(fetchAll(place.client.world, options)), [])
})

test('a torn staged body resets the connection and never gives a short message', async () => {
  const place = await town(5)
  await put(place, 1, text(300_000), true)
  place.server.disk.tear(place.server.disk.names[0] ?? '', 1000)
  await assert.rejects(place.until(fetchAll(place.client.world, options)), /retrieve/)
})

function role(access: Parameters<typeof pop3Role>[0]) {
  return pop3Role(access, {
    remote: { address: '192.0.2.9', port: 1 },
    local: { address: '192.0.2.1', port: 110 },
  })
}

test('a maildrop is open once at a time; the lock goes with the connection, also while it opens', async () => {
  const place = await town(6)
  const { world } = place.server
  const { store } = place
  const access = {
    world,
    store,
    login,
    maildropLocks: new MaildropLocks(),
    keeps: () => false,
    log: silent,
  }
  const peer = { remote: { address: '', port: 0 }, local: { address: '', port: 0 } }
  const open = { kind: 'open', peer, account: { id: 1, address: 'joe@example.org' } } as const
  const first = role(access)
  const second = role(access)
  assert.equal((await first.ask(open)).kind, 'opened')
  assert.equal((await second.ask(open)).kind, 'inUse')
  second.closed?.()
  assert.equal((await role(access).ask(open)).kind, 'inUse', 'a refused peer frees nothing')
  first.closed?.()
  const third = role(access)
  const opening = third.ask(open)
  third.closed?.()
  await opening
  const fourth = role(access)
  assert.equal((await fourth.ask(open)).kind, 'opened')
  // RFC 1939 §6: QUIT gives the lock back before its +OK, not once the connection is gone.
  assert.equal((await fourth.ask({ kind: 'commit', peer, uids: [] })).kind, 'committed')
  assert.equal((await role(access).ask(open)).kind, 'opened')
})

test('who takes one message after the other is answered from memory, and nothing else is changed by it', async () => {
  const place = await town(7)
  const sent: Buffer[] = []
  for (let id = 1; id <= 6; id++) sent.push(await put(place, id, text(id === 4 ? 70_000 : 2_000)))
  const access = {
    ...{ world: place.server.world, store: place.store, login, keeps: () => false, log: silent },
    maildropLocks: new MaildropLocks(),
  }
  const peer = { remote: { address: '', port: 0 }, local: { address: '', port: 0 } }
  const reading = role(access)
  await reading.ask({ kind: 'open', peer, account: { id: 1, address: 'joe@example.org' } })
  const told: string[] = []
  const retrieve = async (uid: number) => {
    const asked = reading.ask({ kind: 'retrieve', peer, uid, utf8: false })
    const answer = asked instanceof Promise ? await place.until(asked) : asked
    const octets = answer.kind === 'content' ? await collected(answer.content) : undefined
    if (octets) assert.deepEqual(octets, sent[uid - 1], `message ${uid}`)
    told.push(`${uid} ${asked instanceof Promise ? 'read' : 'there'}${octets ? '' : ' gone'}`)
    await place.until(new Promise<void>(resolve => place.server.world.clock.after(1, resolve)))
  }
  await place.store.write(run, ['DELETE FROM mailbox_message WHERE uid = 6'])
  for (const uid of [1, 2, 3, 4, 5, 6, 2, 1, 2, 3]) await retrieve(uid)
  assert.deepEqual(told, [
    ...['1 read', '2 read', '3 there', '4 read', '5 there', '6 read gone'],
    ...['2 read', '1 read', '2 read', '3 there'],
  ])
  reading.closed?.()
})
