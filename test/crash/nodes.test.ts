/**
 * Two and three real processes on one real PostgreSQL, their bodies in a bucket: what one node accepts another
 * delivers and reads, what a living node holds nobody takes, and what a dead one held another takes over.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server as NetServer } from 'node:net'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { identities } from '../../src/queue/id.ts'
import { type Lessee, Spool } from '../../src/queue/spool.ts'
import { openPostgresStore } from '../../src/store/postgres/open.ts'
import { silent } from '../../src/world/log.ts'
import { nodeClock } from '../../src/world/node/clock.ts'
import { nodeRandom } from '../../src/world/node/random.ts'
import { inBucket, startObjectStore } from '../kit/object-store.ts'
import { findPostgres, noPostgres, type PostgresServer, startPostgres } from '../kit/postgres.ts'
import { clear, type DemoAccount, type Server, startServer } from '../kit/server.ts'

const binaries = findPostgres()

/** A next hop that takes connections and never says a word: what is carried there stays in hand. */
async function silentHop(): Promise<{ at: string; server: NetServer }> {
  const server = createServer(socket => socket.on('error', () => {})).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return { server, at: `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}` }
}

async function send(server: Server, from: DemoAccount, to: string, text: string): Promise<void> {
  const dialogue = await server.submission(from)
  await dialogue.command(`MAIL FROM:<${from.address}>`)
  await dialogue.command(`RCPT TO:<${to}>`)
  await dialogue.command('DATA')
  const octets = `Subject: ${text.slice(0, 40)}\r\n\r\n${text}\r\n.`
  const { code, text: said } = await dialogue.command(octets)
  assert.equal(code, 250, said)
  dialogue.end()
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let waits = 0; !(await holds()); waits++) {
    assert.ok(waits < 400, what)
    await sleep(25)
  }
}

/** Accepts as a node does that has no room; how long each letter takes until another has delivered it. */
async function takenOver(
  url: string,
  to: DemoAccount,
  recipients: (state: string) => Promise<number>,
): Promise<number[]> {
  const store = await openPostgresStore({ url, clock: nodeClock, random: nodeRandom, log: silent })
  const full: Lessee = { restMs: 0, berth: () => ({}), born() {} }
  const spool = new Spool(store, nodeClock, undefined as never, full)
  const identify = identities(nodeClock, nodeRandom, () => store.slot())
  const before = await recipients('delivered')
  const tookMs: number[] = []
  for (let n = 1; n <= 5; n++) {
    const from = performance.now()
    await spool.accept({
      identity: identify(),
      origin: 'mx',
      envelope: { sender: { reversePath: null, body: '7BIT', utf8: false } as never },
      finals: [
        {
          address: to.address,
          domain: to.address.split('@')[1] ?? '',
          notify: null,
          originalRecipient: null,
          aliasOf: null,
        },
      ],
      head: 'Received: x\r\n',
      body: Buffer.from(`Subject: given on\r\n\r\n${n}\r\n`),
      accountId: null,
      peer: '',
      prefix: new Uint8Array(),
    })
    while ((await recipients('delivered')) < before + n) await sleep(2)
    tookMs.push(Math.round(performance.now() - from))
  }
  await store.close()
  return tookMs
}

describe('nodes as processes on one PostgreSQL', {
  skip: binaries === undefined && noPostgres,
}, () => {
  if (binaries === undefined) return
  let postgres: PostgresServer
  after(async () => {
    clear()
    await postgres?.stop()
  })

  test('mail taken by one node is read at another, and work moves between them', async context => {
    postgres = await startPostgres(binaries, { fsync: true })
    const database = await postgres.fresh()
    const rows = (text: string) => postgres.sql(`SET search_path TO test_1; ${text}`)
    const recipients = async (state: string) =>
      Number(
        (
          await postgres.sql(`SELECT count(*) AS n FROM test_1.recipient WHERE state = '${state}'`)
        )[0]?.['n'],
      )
    const hop = await silentHop()
    context.after(() => hop.server.close())
    const fake = await startObjectStore()
    context.after(() => fake.stop())
    // As if every body was a large one.
    const set = { database, 'bodies.inlineUpTo': '0', ...inBucket(fake) }
    const a = await startServer({ smarthost: hop.at, set })
    const b = await startServer({ set })
    const [joe, jane] = a.accounts as [DemoAccount, DemoAccount]
    assert.deepEqual(
      b.accounts.map(({ address }) => address),
      [joe.address, jane.address],
    )

    await send(a, joe, jane.address, 'first')
    await until('the first letter is delivered', async () => (await b.mail(jane)).length === 1)
    const large = `${'large '.repeat(11)}large\r\n`.repeat(10_000)
    await send(b, joe, jane.address, large.trimEnd())
    await until('a large one is read at another node', async () =>
      (await a.mail(jane)).some(mail => mail.includes(large)),
    )
    const bodies = await postgres.sql('SELECT staged IS NOT NULL AS out FROM test_1.body')
    assert.deepEqual(bodies, [{ out: true }, { out: true }])
    for (const server of [a, b]) {
      const { code, out } = await server.run('check')
      assert.equal(code, 0, out)
    }
    const reader = await b.pop3(jane)
    await reader.ask('DELE 1')
    await reader.ask('DELE 2')
    await reader.ask('QUIT')
    assert.equal(fake.objects.size, 2, 'nobody who reads is hurt')

    await send(a, joe, 'someone@elsewhere.test', 'held in hand')
    await until('A carries it', async () => (await recipients('leased')) === 1)
    const tookMs = await takenOver(database, jane, recipients)
    context.diagnostic(
      `accepted by a node without room, delivered by another, ms: ${tookMs.join(' ')}`,
    )
    assert.ok(Math.min(...tookMs) < 200, tookMs.join(' '))

    const holder = async () =>
      (await postgres.sql(`SELECT leased_by FROM test_1.recipient WHERE state = 'leased'`))[0]?.[
        'leased_by'
      ]
    const held = await holder()
    const c = await startServer({ smarthost: hop.at, set })
    await sleep(300)
    assert.equal(await holder(), held, 'a living node keeps what it holds')
    await b.stop()
    await c.stop()
    await a.stop('SIGKILL')
    // The lease runs 45 s from its last renewal; nobody waits for that here.
    await rows(`UPDATE recipient SET due_at = due_at - 60000 WHERE state = 'leased'`)
    const d = await startServer({ smarthost: hop.at, set })
    await until('D holds it', async () => {
      const now = await holder()
      return now !== undefined && now !== null && now !== held
    })
    assert.equal((await d.mail(jane)).length, 5)
    const check = await d.run('check')
    assert.equal(check.code, 0, check.out + check.err)
    for (const server of [b, d]) assert.deepEqual(server.faults(), [])
    await d.stop('SIGKILL')
  })
})
