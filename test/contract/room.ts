/**
 * Readers and writers for the contract tests of the store, in a module of their own as a room's are:
 * the stores load it in their threads.
 */
import { farReader, manyWriter, reader, writer } from '../../src/store/store.ts'

/** Keeps a setting; a name that is there is a conflict. */
export const keep = writer('test.keep', async (tx, input: { name: string; value: string }) => {
  await tx.run('INSERT INTO setting (name, value) VALUES (?1, ?2)', input.name, input.value)
  return input.name
})

/** Keeps a setting, then throws. */
export const keepAndThrow = writer('test.keepAndThrow', async (tx, input: { name: string }) => {
  await tx.run(`INSERT INTO setting (name, value) VALUES (?1, 'x')`, input.name)
  throw new Error(`no ${input.name} today`)
})

/** Tells how many came together, and takes nothing named 'bad'. */
export const keepMany = manyWriter(
  'test.keepMany',
  async (tx, inputs: readonly { name: string }[]) => {
    await tx.many(
      `INSERT INTO setting (name, value) VALUES (?1, 'many')`,
      inputs.map(({ name }) => [name]),
    )
    if (inputs.some(({ name }) => name === 'bad')) throw new Error('a bad one')
    return inputs.map(({ name }) => ({ name, together: inputs.length }))
  },
)

/** Answers too few outputs: a bug the store must not pass on. */
export const keepAndForget = manyWriter<{ name: string }, string>(
  'test.keepAndForget',
  async (tx, inputs) => {
    for (const { name } of inputs) {
      await tx.run(`INSERT INTO setting (name, value) VALUES (?1, 'x')`, name)
    }
    return []
  },
)

/** Appends to one row, so that the order of arrival shows. */
export const append = writer('test.append', async (tx, letter: string) => {
  await tx.run(
    `INSERT INTO setting (name, value) VALUES ('log', ?1)
     ON CONFLICT (name) DO UPDATE SET value = setting.value || excluded.value`,
    letter,
  )
})

/** The same under another name, to make runs of different writers. */
export const appendLoud = writer('test.appendLoud', async (tx, letter: string) => {
  await tx.run(
    `INSERT INTO setting (name, value) VALUES ('log', ?1)
     ON CONFLICT (name) DO UPDATE SET value = setting.value || excluded.value`,
    letter.toUpperCase(),
  )
})

/** The time of the transaction, kept and given back; whole numbers stay whole. */
export const keepTime = writer('test.keepTime', async (tx, name: string) => {
  await tx.run("INSERT INTO domain (name, origin, created_at) VALUES (?1, ':now', :now)", name)
  return tx.get<{ origin: string; at: number; half: number }>(
    'SELECT origin, created_at AS at, created_at / ?2 AS half FROM domain WHERE name = ?1',
    name,
    2,
  )
})

export const keepBody = writer('test.keepBody', async (tx, input: { octets: Uint8Array }) => {
  const row = await tx.get<{ id: number }>(
    'INSERT INTO body (size_octets, octets) VALUES (?1, ?2) RETURNING id',
    input.octets.byteLength,
    input.octets,
  )
  return row?.id ?? 0
})

export const uncloneable = writer('test.uncloneable', async (tx, name: string) => {
  await tx.run(`INSERT INTO setting (name, value) VALUES (?1, 'x')`, name)
  return { run: () => name }
})

/** Ends the thread that runs it: never to be called on a store without threads. */
export const endThread = writer('test.endThread', async (tx, name: string) => {
  await tx.run(`INSERT INTO setting (name, value) VALUES (?1, 'x')`, name)
  process.exit(1)
})

export const tooFewValues = writer('test.tooFewValues', async tx => {
  await tx.run('INSERT INTO setting (name, value) VALUES (?1, ?2)', 'a')
})

export const get = reader('test.get', async (tx, name: string) => {
  const row = await tx.get<{ value: string }>('SELECT value FROM setting WHERE name = ?1', name)
  return row?.value
})

export const names = reader('test.names', (tx, _: undefined) =>
  tx.all<{ name: string }>(
    `SELECT name FROM setting WHERE name NOT LIKE 'database.%' ORDER BY name`,
  ),
)

export const farNames = farReader('test.farNames', (tx, _: undefined) =>
  tx.all<{ name: string }>(
    `SELECT name FROM setting WHERE name NOT LIKE 'database.%' ORDER BY name`,
  ),
)

export const farThrow = farReader('test.farThrow', async (_tx, why: string) => {
  throw new Error(why)
})

/** Counts twice within one call: one state of the database. */
export const countTwice = reader('test.countTwice', async (tx, _: undefined) => {
  const first = await tx.get<{ n: number }>('SELECT count(*) AS n FROM setting')
  const second = await tx.get<{ n: number }>('SELECT count(*) AS n FROM setting')
  return [first?.n, second?.n]
})

export const body = reader('test.body', async (tx, id: number) => {
  const row = await tx.get<{ octets: Uint8Array }>('SELECT octets FROM body WHERE id = ?1', id)
  return row?.octets
})

export const forbidden = reader('test.forbidden', async (tx, _: undefined) => {
  // A read power has no `run`; SQL that writes must fail all the same.
  await tx.all(`INSERT INTO setting (name, value) VALUES ('by', 'reader')`)
})
