/** The README and docs/rfc.md say of the extensions what the table says; `npm run docs` prints them anew. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { extensionTable, leftOutTable, shortTable } from './document.ts'
import { leftOut } from './left-out.ts'
import { extensions } from './table.ts'

const root = new URL('../../../', import.meta.url)

for (const [path, name, print] of [
  ['README.md', 'extensions', shortTable],
  ['docs/rfc.md', 'extensions', extensionTable],
  ['docs/rfc.md', 'left out', leftOutTable],
] as const) {
  test(`${path} has the table of extensions: ${name}`, () => {
    const file = new URL(path, root)
    const text = readFileSync(file, 'utf8')
    const marks = new RegExp(`(<!-- ${name}:[^\\n]*-->\\n)([\\s\\S]*?)(<!-- end -->)`)
    const [whole, start, shown, end] = marks.exec(text) ?? []
    assert.ok(whole !== undefined, `the marks <!-- ${name}: ... --> and <!-- end --> are there`)
    const printed = `${print()}\n`
    if (process.env['UPDATE_DOCS'] === '1') {
      writeFileSync(
        file,
        text.replace(whole, () => `${start}${printed}${end}`),
      )
    } else assert.equal(shown, printed, 'run `npm run docs`')
  })
}

test('nothing is in the table and left out at once', () => {
  const keywords = new Set<string>(extensions.map(each => each.keyword))
  assert.deepEqual(
    leftOut.filter(each => keywords.has(each.keyword)),
    [],
  )
})
