/**
 * Brings a PostgreSQL database to the version this program knows, from the same schema files as SQLite,
 * or refuses it by name and leaves it as it is. Called by open.ts. Nodes that start together take turns
 * by an advisory lock, and the first makes everything in one transaction.
 *
 * The tables are made in the schema that the URL's search_path names first, `public` if none: one
 * PostgreSQL database may hold several Postriders. `store_writer` is this store's own (link.ts).
 */
import type { PostgresConnection } from '../../world/node/postgres.ts'
import { readShipped } from '../../world/node/store-file.ts'
import { postgresql } from '../dialect.ts'
import { checksum, migrations, readSince, refuseNewer, sinceOf, writeSince } from '../migrate.ts'
import { StoreError } from '../store.ts'
import { statementOf } from './statement.ts'

/** 'POST': nobody else locks this by chance; the schema is the lock's second half. */
const lock = `SELECT pg_advisory_xact_lock(${0x504f5354}, hashtext(current_schema()))`

const own = `
  CREATE TABLE migration (
    version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, at BIGINT NOT NULL
  );
  CREATE TABLE store_writer (
    id TEXT PRIMARY KEY, batch BIGINT NOT NULL, fenced INTEGER NOT NULL, at BIGINT NOT NULL
  ) WITH (fillfactor = 20);
`

/** Migrates the database behind the connection. `named` is how errors call it. */
export async function migratePostgres(connection: PostgresConnection, named: string) {
  await connection.execute('BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0')
  try {
    await connection.execute(lock)
    const { rows } = await connection.query<{ name: string }>({
      sql: 'SELECT tablename::text AS name FROM pg_tables WHERE schemaname = current_schema()',
      values: [],
    })
    const tables = new Set(rows.map(({ name }) => name))
    if (tables.size > 0 && !tables.has('store_writer')) {
      throw new StoreError(
        'broken',
        `${named} holds the tables of another program; it was left as it is.`,
      )
    }
    if (tables.size === 0) {
      await refuseOtherText(connection, named)
      await connection.execute(own)
    }
    await runMissing(connection, named)
    await connection.execute('COMMIT')
  } catch (error) {
    if (connection.lost === undefined) await connection.execute('ROLLBACK')
    throw error
  }
}

/** A cluster made where no locale is set is SQL_ASCII, and LATIN1 has no letter for half of what people write. */
async function refuseOtherText(connection: PostgresConnection, named: string): Promise<void> {
  const { rows } = await connection.query<{ server_encoding: string }>({
    sql: 'SHOW server_encoding',
    values: [],
  })
  const encoding = rows[0]?.server_encoding
  if (encoding === 'UTF8') return
  throw new StoreError(
    'broken',
    `${named} keeps text as ${encoding}; make one with ENCODING 'UTF8' TEMPLATE template0. It was left as it is.`,
  )
}

async function runMissing(connection: PostgresConnection, named: string): Promise<void> {
  const done = await connection.query<{ version: number; checksum: string }>(
    statementOf('SELECT version, checksum FROM migration ORDER BY version', []),
  )
  const newer = done.rows.length > migrations.length
  const since = newer ? await connection.query<{ value: string }>(statementOf(readSince, [])) : null
  refuseNewer(done.rows, named, since?.rows[0]?.value)
  if (done.rows.length >= migrations.length) return
  for (const { version, name, file } of migrations.slice(done.rows.length)) {
    const text = readShipped(file)
    await connection.execute(postgresql.schema(text))
    const insert = 'INSERT INTO migration (version, name, checksum, at) VALUES (?1, ?2, ?3, :now)'
    await connection.query(statementOf(insert, [version, name, checksum(text)]))
  }
  await connection.query(statementOf(writeSince, [String(sinceOf(migrations))]))
}
