/** Many rows by few statements: all arrive, whatever their number, with the values in their places. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { insertParts, portion } from './insert.ts'
import { openMemoryStore } from './memory.ts'
import { reader, writer } from './store.ts'

test('only an INSERT that leaves rows alone may take several', () => {
  for (const { sql, takes } of [
    { sql: 'INSERT INTO a (b, c) VALUES (?, ? + ?)', takes: '(?, ? + ?)' },
    { sql: `INSERT INTO a VALUES (?, '(', f(?)) ON CONFLICT DO NOTHING`, takes: `(?, '(', f(?))` },
    { sql: 'INSERT INTO a VALUES (?) ON CONFLICT (a) DO UPDATE SET b = 1', takes: undefined },
    { sql: 'INSERT INTO a SELECT ?', takes: undefined },
    { sql: 'DELETE FROM a WHERE b IN (VALUES (?))', takes: undefined },
  ]) {
    assert.equal(insertParts(sql)?.row, takes, sql)
  }
})

test('rows are taken by powers of two', () => {
  for (const [left, most, count] of [
    [1, 16, 1],
    [2, 16, 2],
    [9, 16, 8],
    [31, 16, 16],
    [1000, 1, 1],
  ] as const) {
    assert.equal(portion(left, most), count)
  }
})

const put = writer('test.put', (tx, rows: readonly (readonly (string | number)[])[]) =>
  tx.many(
    'INSERT INTO alias (target, address, origin, created_at) VALUES (?2, ?1, :now + ?3, ?3)',
    rows,
  ),
)
const all = reader('test.all', (tx, _: null) =>
  tx.all<object>('SELECT address, target, origin, created_at FROM alias ORDER BY created_at'),
)

test('every row arrives once, its values and the time in their places', async () => {
  for (const count of [0, 1, 2, 9, 37]) {
    const store = await openMemoryStore({ now: () => 1000 })
    await store.write(
      put,
      Array.from({ length: count }, (_, n) => [`a${n}`, `t${n}`, n]),
    )
    assert.deepEqual(
      await store.read(all, null),
      Array.from({ length: count }, (_, n) => ({
        address: `a${n}`,
        target: `t${n}`,
        origin: String(1000 + n),
        created_at: n,
      })),
    )
    await assert.rejects(store.write(put, [['x', 'y', 1], ['z']]), /takes 3 values, not 1/)
    assert.equal((await store.read(all, null)).length, count)
    await store.close()
  }
})
