/**
 * Every capability that is told is shown at work: its row needs at least one dialogue of imap/ where it is accepted,
 * one where it is refused, and one where it is misused. A dialogue says so in a comment line of its own, as
 * coverage.test.ts has it for SMTP:
 *
 *     # QRESYNC accepting
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { rows } from '../../src/imap/server/capability.ts'
import { commands } from '../../src/imap/server/commands.ts'

const folder = join(import.meta.dirname, 'imap')
const texts = readdirSync(folder).map(file => readFileSync(join(folder, file), 'utf8'))

const marks = new Set(
  texts.flatMap(text =>
    Array.from(text.matchAll(/^# (\S+ (?:accepting|refusing|misuse))$/gm), match => match[1] ?? ''),
  ),
)

test('every capability has a dialogue that accepts, one that refuses and one that misuses it', () => {
  const wanted = rows.flatMap(([name]) =>
    ['accepting', 'refusing', 'misuse'].map(kind => `${name} ${kind}`),
  )
  assert.deepEqual(
    wanted.filter(each => !marks.has(each)),
    [],
    'no dialogue of test/transcript/imap has this as a `# ` line',
  )
})

/** Nobody may set limits by IMAP. */
const REFUSED = new Set(['SETQUOTA'])

test('every command is answered by OK in a dialogue, or by NO where that is all it says, and by BAD in one', () => {
  const said = texts.join('\n')
  const answers = (name: string) => {
    const tags = said.matchAll(
      new RegExp(
        `^C\\+?: (\\S+) ${name}\\b.*\\n(?:(?!C\\+?: \\S+ [A-Za-z]).*\\n)*?S: \\1 (OK|NO|BAD)`,
        'gim',
      ),
    )
    return new Set(Array.from(tags, match => match[2]?.toUpperCase()))
  }
  const missing = Object.keys(commands).flatMap(name => {
    const heard = answers(name)
    return [REFUSED.has(name) ? 'NO' : 'OK', 'BAD']
      .filter(kind => !heard.has(kind))
      .map(kind => `${name} ${kind}`)
  })
  assert.deepEqual(missing, [])
})
