/**
 * Every extension of the table is shown at work: its row needs at least one dialogue of smtp/ where it is
 * accepted, one where it is refused, and one where it is misused. A dialogue says so in a comment
 * line of its own, as many as are true of it:
 *
 *     # CHUNKING accepting
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { extensions } from '../../src/smtp/extension/table.ts'

const folder = join(import.meta.dirname, 'smtp')
const KINDS = ['accepting', 'refusing', 'misuse'] as const

/** `KEYWORD kind` of every mark, with the dialogue that has it. */
const marks = readdirSync(folder).flatMap(file => {
  const text = readFileSync(join(folder, file), 'utf8')
  const found = text.matchAll(/^# ([A-Z0-9-]+ (?:accepting|refusing|misuse))$/gm)
  return Array.from(found, match => ({ file, mark: match[1] ?? '' }))
})

test('every extension has a dialogue that accepts, one that refuses and one that misuses it', () => {
  const missing = extensions.flatMap(({ keyword }) =>
    KINDS.map(kind => `${keyword} ${kind}`).filter(
      wanted => !marks.some(({ mark }) => mark === wanted),
    ),
  )
  assert.deepEqual(missing, [], 'no dialogue of test/transcript/smtp has this as a `# ` line')
})

test('a mark names an extension of the table', () => {
  const keywords = new Set<string>(extensions.map(each => each.keyword))
  const strange = marks.filter(({ mark }) => !keywords.has(mark.split(' ')[0] ?? ''))
  assert.deepEqual(strange, [])
})
