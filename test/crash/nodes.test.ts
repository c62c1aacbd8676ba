/**
 * Two and three real processes on one real PostgreSQL: what one node accepts another delivers, what a
 * living node holds nobody takes, and what a dead one held another takes over.
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
  const { code, text: said } = await dialogue.command(`Subject: ${text}\r\n\r\n${text}\r\n.`)
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
    const a = await startServer({ smarthost: hop.at, set: { database } })
    const b = await startServer({ set: { database } })
    const [joe, jane] = a.accounts as [DemoAccount, DemoAccount]
    assert.deepEqual(
      b.accounts.map(({ address }) => address),
      [joe.address, jane.address],
    )

    await send(a, joe, jane.address, 'first')
    await until('the first letter is delivered', async () => (await b.mail(jane)).length === 1)

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
    const c = await startServer({ smarthost: hop.at, set: { database } })
    await sleep(300)
    assert.equal(await holder(), held, 'a living node keeps what it holds')
    await b.stop()
    await c.stop()
    await a.stop('SIGKILL')
    // The lease runs 45 s from its last renewal; nobody waits for that here.
    await rows(`UPDATE recipient SET due_at = due_at - 60000 WHERE state = 'leased'`)
    const d = await startServer({ smarthost: hop.at, set: { database } })
    await until('D holds it', async () => {
      const now = await holder()
      return now !== undefined && now !== null && now !== held
    })
    assert.equal((await d.mail(jane)).length, 6)
    const check = await d.run('check')
    assert.equal(check.code, 0, check.out + check.err)
    for (const server of [b, d]) assert.deepEqual(server.faults(), [])
    await d.stop('SIGKILL')
    hop.server.close()
  })
})
