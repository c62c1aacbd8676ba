import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SqliteConnection } from '../world/node/sqlite.ts'
import { newDatabase } from './memory-schema.ts'
import { migrate } from './migrate.ts'

function factsOf(connection: SqliteConnection) {
  const schema = connection.all<{ name: string }>(
    'SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name',
    [],
  )
  const tables = connection.all<{ name: string }>(
    "SELECT name FROM sqlite_schema WHERE type = 'table'",
    [],
  )
  const rows = tables.map(({ name }) => [name, connection.all(`SELECT * FROM "${name}"`, [])])
  const pragmas = ['page_size', 'auto_vacuum', 'application_id', 'user_version', 'foreign_keys']
  return {
    ...{ schema, rows: new Map(rows as [string, object[]][]) },
    pragmas: pragmas.map(name => connection.get(`PRAGMA ${name}`, [])),
  }
}

test('a database in memory is what the migrations make, the first of a process and every further one', () => {
  const migrated = new SqliteConnection(':memory:')
  migrate(migrated, 'it', 5)
  const facts = factsOf(migrated)
  assert.ok(facts.schema.length > 50 && facts.rows.get('migration')?.length)
  for (let n = 0; n < 3; n++) {
    const database = newDatabase(5)
    assert.deepEqual(factsOf(database), facts)
    // What is known of it is found again: nothing is left to migrate.
    migrate(database, 'it', 6)
    assert.deepEqual(factsOf(database), facts)
    database.close()
  }
})
