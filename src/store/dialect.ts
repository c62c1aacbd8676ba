/**
 * The few places where the two stores' SQL differs. Rooms write one text; the dialect turns it into
 * what its database understands. Called once for each text and connection by src/store/transaction.ts
 * and by the migration runner; never on a row.
 *
 * What a text may hold beside plain SQL: `?1 ?2 ...` the values; `:now` the transaction's time in ms;
 * the comment `/*skip locked*\/` behind the SELECT of a claim, which only PostgreSQL needs.
 */
export interface CompiledSql {
  readonly sql: string
  /** How many values the text takes: its highest `?n`. */
  readonly values: number
  /** True where the time of the transaction is bound behind the values. */
  readonly takesNow: boolean
}

export interface Dialect {
  readonly name: 'sqlite' | 'postgresql'
  /** One statement of a reader or writer. */
  readonly compile: (text: string) => CompiledSql
  /** A whole schema file: types and table options. */
  readonly schema: (text: string) => string
}

/** Strings, quoted names and comments (left alone), then `:now` and `?n`. No alternative backtracks. */
const tokens = /'[^']*'|"[^"]*"|--[^\n]*|:now\b|\?(\d+)/g

/** SQLite: `:now` becomes one more numbered value, as node:sqlite cannot mix named and numbered ones. */
export const sqlite: Dialect = {
  name: 'sqlite',
  compile(text) {
    let values = 0
    let takesNow = false
    for (const [token, number] of text.matchAll(tokens)) {
      if (number !== undefined) values = Math.max(values, Number(number))
      else if (token === ':now') takesNow = true
    }
    if (!takesNow) return { sql: text, values, takesNow }
    const sql = text.replace(tokens, token => (token === ':now' ? `?${values + 1}` : token))
    return { sql, values, takesNow }
  },
  schema: text => text,
}
