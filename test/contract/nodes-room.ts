/** Nodes for nodes.test.ts and node-faults.test.ts: several stores on one schema, and what they read and write there. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { accept } from '../../src/queue/writer.ts'
import { openPostgresStore } from '../../src/store/postgres/open.ts'
import { reader, type Store, StoreError, writer } from '../../src/store/store.ts'
import { silent } from '../../src/world/log.ts'
import { nodeClock } from '../../src/world/node/clock.ts'
import { nodeRandom } from '../../src/world/node/random.ts'
import type { PostgresServer } from '../kit/postgres.ts'

type Acceptance = Parameters<(typeof accept)['run']>[1][number]

/** Runs a test with so many nodes on a schema of its own. */
export function together(
  server: PostgresServer,
  count: number,
  run: (stores: Store[], url: string) => Promise<void>,
) {
  return async () => {
    const url = await server.fresh()
    const stores: Store[] = []
    for (let n = 0; n < count; n++) stores.push(await node(url))
    try {
      await run(stores, url)
    } finally {
      await Promise.all(stores.map(store => store.close()))
    }
  }
}

export function node(url: string): Promise<Store> {
  return openPostgresStore({ url, clock: nodeClock, random: nodeRandom, log: silent })
}

export const keep = writer('nodes.keep', async (tx, name: string) => {
  await tx.run(`INSERT INTO setting (name, value) VALUES (?1, 'x')`, name)
})

/** Waits for no answer: its COMMIT leaves together with its INSERT. */
export const keepUnheard = writer('nodes.keepUnheard', (tx, name: string) =>
  tx.many('INSERT INTO setting (name, value) VALUES (?1, ?2)', [[name, 'x']]),
)

export const kept = reader('nodes.kept', async (tx, _: null) => {
  const rows = await tx.all<{ name: string }>(
    `SELECT name FROM setting WHERE name NOT LIKE 'database.%' ORDER BY name`,
  )
  return rows.map(({ name }) => name)
})

/** Touches two rows in the order given, with a moment between: two of these lock each other out. */
export const touch = writer('nodes.touch', async (tx, names: readonly string[]) => {
  for (const name of names) {
    await tx.run(`UPDATE setting SET value = value || 'x' WHERE name = ?1`, name)
    await sleep(100)
  }
})

export const nap = reader('nodes.nap', async (tx, seconds: number) => {
  await tx.all('SELECT pg_sleep(?1)', seconds)
})

export const sleepAndKeep = writer('nodes.sleepAndKeep', async (tx, name: string) => {
  await tx.run(`INSERT INTO setting (name, value) VALUES (?1, 'x')`, name)
  await tx.all('SELECT pg_sleep(5)')
})

/** Messages of which something is left to do, and bodies that are kept. */
export const unsettled = reader('nodes.unsettled', (tx, _: null) =>
  tx.get<{ messages: number; bodies: number }>(
    `SELECT (SELECT count(*) FROM message
       WHERE unsettled <> 0 OR settled_at IS NULL OR body_id IS NOT NULL) AS messages,
       (SELECT count(*) FROM body) AS bodies`,
  ),
)

export const textOf = reader('nodes.textOf', async (tx, name: string) => {
  const row = await tx.get<{ value: string }>('SELECT value FROM setting WHERE name = ?1', name)
  return row?.value
})

export function acceptance(id: string, bodyKey: number): Acceptance {
  return {
    id,
    bodyKey,
    origin: 'mx',
    head: Buffer.from('h'),
    body: Buffer.from('body'),
    reversePath: '',
    bodyKind: '7BIT',
    utf8: false,
    ret: null,
    envelopeId: null,
    accountId: null,
    peer: '',
    receivedAt: 0,
    recipients: [
      {
        address: 'a@b.test',
        domain: 'b.test',
        notify: null,
        originalRecipient: null,
        aliasOf: null,
      },
    ],
  }
}

export async function outcome(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'done',
    error => (error instanceof StoreError ? error.reason : String(error)),
  )
}
