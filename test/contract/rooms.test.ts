/**
 * Every reader and writer that the rooms register, on every store: one script of a small life of mail is
 * run on each, and what it answers must be the same. A reader or writer that the script leaves out is a
 * failure, so that nothing new touches the store on one database only.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { STORE_MODULES } from '../../src/server/rooms.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import { openStore } from '../../src/store/open.ts'
import { openPostgresStore } from '../../src/store/postgres/open.ts'
import type { Store } from '../../src/store/store.ts'
import { silent } from '../../src/world/log.ts'
import { nodeClock } from '../../src/world/node/clock.ts'
import { nodeRandom } from '../../src/world/node/random.ts'
import { findPostgres, noPostgres, sharedPostgres } from '../kit/postgres.ts'
import { bansLife } from './bans-life.ts'
import { askedLife, prioritiesLife } from './claims-life.ts'
import { countsLife } from './counts-life.ts'
import { folders } from './folder-life.ts'
import { lanesLife } from './lanes-life.ts'
import { type Witness, witness } from './life.ts'
import { mailboxesLife } from './mailbox-life.ts'
import { messagesLife } from './message-life.ts'
import { nodesLife } from './nodes-life.ts'
import { peopleLife } from './people-life.ts'
import { queries } from './queue-life.ts'
import { transfersLife } from './transfers-life.ts'
import { movedIntoLife, movedLife, upkeepLife } from './upkeep-life.ts'

const directory = mkdtempSync(join(tmpdir(), 'postrider-rooms-'))
after(() => rmSync(directory, { recursive: true }))
const stores: Record<string, () => Promise<Store>> = {
  'an SQLite file': () =>
    openStore({
      path: join(directory, 'mail.db'),
      modules: STORE_MODULES,
      clock: nodeClock,
      log: silent,
    }),
}

const binaries = findPostgres()
if (binaries === undefined) test('the rooms on PostgreSQL', { skip: noPostgres }, () => {})
else {
  const server = await sharedPostgres(binaries)
  stores[binaries.version] = async () =>
    openPostgresStore({
      url: await server.fresh(),
      clock: nodeClock,
      random: nodeRandom,
      log: silent,
    })
}

async function lifeOn(store: Store): Promise<Witness> {
  const w = witness(store)
  await peopleLife(w)
  await messagesLife(w)
  await queries(w)
  await lanesLife(w)
  await bansLife(w)
  await countsLife(w)
  await askedLife(w)
  await prioritiesLife(w)
  await folders(w)
  await mailboxesLife(w)
  await transfersLife(w)
  await nodesLife(w)
  await movedLife(w)
  await upkeepLife(w, store)
  await movedIntoLife(w)
  await store.close()
  return w
}

const model = await lifeOn(await openMemoryStore({ now: Date.now }))

for (const [where, open] of Object.entries(stores)) {
  test(`a small life of mail reads the same on ${where} as in memory`, async () => {
    const { log } = await lifeOn(await open())
    for (const [index, entry] of model.log.entries()) {
      assert.deepEqual(log[index], entry, `step ${index}`)
    }
    assert.equal(log.length, model.log.length)
  })
}

test('no reader or writer of any room is left out', async () => {
  const all = new Set<string>()
  const urls = [
    ...STORE_MODULES,
    ...['check', 'sweep', 'move-table'].map(
      name => new URL(`../../src/store/${name}.ts`, import.meta.url),
    ),
  ]
  for (const url of urls) {
    for (const value of Object.values((await import(url.href)) as Record<string, unknown>)) {
      const item = value as { kind?: string; name?: string } | null
      if (typeof value === 'object' && (item?.kind === 'reader' || item?.kind === 'writer'))
        all.add(String(item.name))
    }
  }
  assert.deepEqual(
    [...all].filter(name => !model.used.has(name)),
    [],
  )
})
