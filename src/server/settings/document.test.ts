/** docs/configuration.md says what the schema says. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { settingsTable } from './document.ts'
import { settingsSchema } from './settings.ts'

const file = new URL('../../../docs/configuration.md', import.meta.url)

test('every setting stands in docs/configuration.md with its default and meaning', () => {
  const text = readFileSync(file, 'utf8')
  const match = /(<!-- settings:[^\n]*-->\n)([\s\S]*?)(<!-- end -->)/.exec(text)
  assert.ok(match !== null, 'the marks are there')
  const [whole, start, shown, end] = match
  const table = `${settingsTable(settingsSchema)}\n`
  if (process.env['UPDATE_DOCS'] === '1') {
    writeFileSync(
      file,
      text.replace(whole, () => `${start}${table}${end}`),
    )
    return
  }
  assert.equal(shown, table, 'run UPDATE_DOCS=1 npm test -- settings/document')
})

test('every setting has a meaning', () => {
  const bare = settingsTable(settingsSchema)
    .split('\n')
    .slice(2)
    .filter(line => /\|\s+\|$/.test(line))
  assert.deepEqual(bare, [])
})
