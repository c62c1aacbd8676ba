/**
 * A new database in memory with its schema in place. The migrations run once in a process; whoever comes later gets
 * what they have left, in one text: a town of the simulated internet has three servers, and a test run a thousand
 * towns. Called by memory.ts.
 */
import { SqliteConnection } from '../world/node/sqlite.ts'
import type { Value } from '../world/sql.ts'
import { migrate } from './migrate.ts'

/** What a text cannot say of a database but by these. */
const PRAGMAS = ['page_size', 'auto_vacuum', 'application_id', 'user_version'] as const

let left: string | undefined

/** @param now when its migrations were made */
export function newDatabase(now: number): SqliteConnection {
  const connection = new SqliteConnection(':memory:')
  if (left === undefined) {
    migrate(connection, 'the store in memory', now)
    left = textOf(connection)
  } else {
    connection.execute(left)
    connection.run('UPDATE migration SET at = ?1', [now])
  }
  return connection
}

/** The statements that make an empty database into one like this. */
function textOf(connection: SqliteConnection): string {
  const pragmas = PRAGMAS.map(name => {
    const row = connection.get<Record<string, number>>(`PRAGMA ${name}`, [])
    return `PRAGMA ${name} = ${row?.[name] ?? 0}`
  })
  // What SQLite makes by itself has no text, or a name of its own.
  const made = connection.all<{ type: string; name: string; sql: string }>(
    `SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
     ORDER BY type <> 'table', rowid`,
    [],
  )
  const rows = made
    .filter(({ type }) => type === 'table')
    .flatMap(({ name }) =>
      connection.all<Record<string, Value>>(`SELECT * FROM "${name}"`, []).map(row => {
        const values = Object.values(row).map(literal)
        return `INSERT INTO "${name}" VALUES (${values.join(', ')})`
      }),
    )
  const statements = [...pragmas, 'BEGIN', ...made.map(({ sql }) => sql), ...rows, 'COMMIT']
  return statements.join(';\n')
}

function literal(value: Value): string {
  if (value === null) return 'NULL'
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)
}
