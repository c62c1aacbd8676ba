import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sqlite } from './dialect.ts'

test('SQLite takes the time as one more value behind the highest', () => {
  const cases: [string, string, number, boolean][] = [
    ['SELECT 1', 'SELECT 1', 0, false],
    ['SELECT ?1, ?3', 'SELECT ?1, ?3', 3, false],
    ['SELECT :now', 'SELECT ?1', 0, true],
    ['SELECT ?2 WHERE a < :now OR b > :now', 'SELECT ?2 WHERE a < ?3 OR b > ?3', 2, true],
    [`SELECT ':now ?9', ?1`, `SELECT ':now ?9', ?1`, 1, false],
    [`SELECT 'it''s :now', :now`, `SELECT 'it''s :now', ?1`, 0, true],
    ['SELECT ":now" -- :now ?7\n, ?1', 'SELECT ":now" -- :now ?7\n, ?1', 1, false],
    ['SELECT :nowhere', 'SELECT :nowhere', 0, false],
    ['SELECT ?12, :now', 'SELECT ?12, ?13', 12, true],
  ]
  for (const [text, sql, values, takesNow] of cases) {
    assert.deepEqual(sqlite.compile(text), { sql, values, takesNow }, text)
  }
})
