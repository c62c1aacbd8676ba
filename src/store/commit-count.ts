/**
 * How many commits a database has seen, counted in itself, and beside it in a file the number of the last one that
 * was answered for. After a process has died, a database and log that hold fewer are not those that were
 * acknowledged: somebody removed or cut the log, or put an older copy in their place, which SQLite alone takes for
 * a good database. After a clean end the file is gone, and nothing is claimed.
 *
 * The number beside is written behind each commit and before its answer, and never synced (kept-number.ts). So it
 * is never above what is durable: an honest crash of the machine is no damage, though it may bring back an older
 * number. A program that folds the log into the database by the rules is none either: the count comes with it.
 *
 * Called by open.ts, before anything writes, and by committer-worker.ts.
 */
import { KeptNumber } from '../world/node/kept-number.ts'
import { SqliteConnection, sqliteCode } from '../world/node/sqlite.ts'
import { fileExists, fileSize } from '../world/node/store-file.ts'
import { StoreError } from './store.ts'

export const COMMITS = 'database.commits'

const readCount = `SELECT value FROM setting WHERE name = '${COMMITS}'`
const writeCount = `INSERT INTO setting (name, value) VALUES ('${COMMITS}', ?1)
  ON CONFLICT (name) DO UPDATE SET value = excluded.value`

/** Pages that are looked through where the log is gone: 1 GB, some seconds. */
const lookMaxPages = 131_072

/** Where the number beside the database is: no name that goes with `postrider.db*`, as logs do that are cleaned up. */
export function countPath(path: string): string {
  return `${path.replace(/\.db$/, '')}.committed`
}

/** The committer's side. */
export class CommitCount {
  readonly #kept: KeptNumber
  #connection: SqliteConnection | undefined
  /** Rows that the connection had changed in all, when it was last looked at. */
  #changes = 0
  /** The last commit that is durable, and the one that is under way. */
  #count = 0
  #next = 0

  constructor(path: string) {
    this.#kept = new KeptNumber(countPath(path))
  }

  /** Counts the transaction, right before its COMMIT. One that changes nothing writes nothing. */
  count(connection: SqliteConnection): void {
    if (connection !== this.#connection) {
      this.#connection = connection
      this.#changes = 0
      this.#count = countOf(connection)
    }
    this.#next = this.#count
    const changes = changesOf(connection)
    if (changes === this.#changes) return
    this.#next++
    connection.run(writeCount, [String(this.#next)])
    this.#changes = changes + 1
  }

  /** It is durable: what was just counted is answered for. */
  durable(): void {
    if (this.#next === this.#count) return
    this.#count = this.#next
    this.#kept.write(this.#count)
  }

  /** All is in the database, and there is no log that could be missing. */
  folded(): void {
    this.#kept.remove()
  }
}

function countOf(connection: SqliteConnection): number {
  return Number(connection.get<{ value: string }>(readCount, [])?.value ?? 0)
}

function changesOf(connection: SqliteConnection): number {
  return connection.get<{ n: number }>('SELECT total_changes() AS n', [])?.n ?? 0
}

/** Throws StoreError where commits that were answered for are not there. Touches neither database nor log. */
export function refuseLost(path: string): void {
  const kept = new KeptNumber(countPath(path))
  const wanted = kept.read()
  if (wanted === undefined) return
  if (!fileExists(path) || fileSize(path) === 0) {
    // It was moved away, to begin anew.
    kept.remove()
    return
  }
  const log = `${path}-wal`
  const logIsGone = !fileExists(log) || fileSize(log) === 0
  const found = look(path, logIsGone)
  if (found.count >= wanted && found.damage === undefined) return
  const what = logIsGone ? `its log ${log} is gone` : `its log ${log} was cut or replaced`
  const seen =
    found.damage ?? `commit ${wanted} was answered for, the last one here is ${found.count}`
  throw new StoreError(
    'broken',
    `${path} has lost what was acknowledged: ${what}, or it is an older copy (${seen}). ` +
      'It was left as it is; put the log back, or restore a backup. ' +
      `To go on without what is lost, remove ${countPath(path)}.`,
  )
}

/** What the database holds, by a connection that neither folds nor makes a log. */
function look(path: string, immutable: boolean): { count: number; damage?: string } {
  const connection = new SqliteConnection(path, { readOnly: true, immutable })
  try {
    const count = countOf(connection)
    const pages = connection.get<{ page_count: number }>('PRAGMA page_count', [])?.page_count ?? 0
    if (!immutable || pages > lookMaxPages) return { count }
    // A log that went while it was being folded leaves new pages among old ones.
    const said = connection.get<{ integrity_check: string }>('PRAGMA integrity_check(1)', [])
    const damage = said?.integrity_check ?? 'ok'
    return damage === 'ok' ? { count } : { count, damage }
  } catch (error) {
    // What cannot be read is named by migrate.ts.
    if (sqliteCode(error) === undefined) throw error
    return { count: Number.POSITIVE_INFINITY }
  } finally {
    connection.close()
  }
}

/** Behind a connection that had the database alone: where it has folded the log, no number is needed. */
export function forgetFolded(path: string): void {
  if (!fileExists(`${path}-wal`)) new KeptNumber(countPath(path)).remove()
}
