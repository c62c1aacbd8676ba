/**
 * SQL as a port. One text serves both stores: `?1 ?2 ...` are the values, `:now` is the time of the
 * transaction in ms since the epoch (the world's clock on SQLite, the database's on PostgreSQL).
 */
export type Value = string | number | Uint8Array | null

/** The power to read. Rows are plain objects keyed by column name. */
export interface Read {
  all<Row extends object>(sql: string, ...values: Value[]): Promise<Row[]>
  get<Row extends object>(sql: string, ...values: Value[]): Promise<Row | undefined>
}

/** The power to write, inside one transaction. */
export interface Write extends Read {
  /** Runs one statement; returns the number of rows it changed. */
  run(sql: string, ...values: Value[]): Promise<number>
  /** Runs `INSERT ... VALUES (?1, ...)` once for each row; one round trip on PostgreSQL. */
  many(sql: string, rows: readonly (readonly Value[])[]): Promise<void>
}
