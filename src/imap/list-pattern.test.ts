/** Patterns of LIST, and that no pattern stops the process. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isTooMuch, matchesPattern } from './list-pattern.ts'

const rows: readonly (readonly [pattern: string, name: string, matches: boolean])[] = [
  ['*', 'a/b/c', true],
  ['%', 'a', true],
  ['%', 'a/b', false],
  ['%/%', 'a/b', true],
  ['a/%', 'a/', true],
  ['a*', 'a', true],
  ['a*c', 'a/b/c', true],
  ['a%c', 'a/c', false],
  ['%*%', 'a/b', true],
  ['*%', 'a/b', true],
  ['a', 'A', false],
  ['inbox', 'INBOX', true],
  ['in%/X', 'INBOX/X', true],
  ['inbox/x', 'INBOX/X', false],
  ['inbox', 'Inbox2', false],
  ['*\u{1f4e7}', 'x\u{1f4e7}', true],
  ['', 'a', false],
]
for (const [pattern, name, matches] of rows) {
  test(`${pattern} ${matches ? 'is' : 'is not'} ${name}`, () =>
    assert.equal(matchesPattern(name, pattern), matches))
}

test('patterns are what regular expressions make of them', () => {
  const text = (...units: string[]) =>
    fc.array(fc.constantFrom(...units), { maxLength: 12 }).map(all => all.join(''))
  fc.assert(
    fc.property(text('a', 'b', '/'), text('a', 'b', '/', '*', '%'), (name, pattern) => {
      const source = pattern.replaceAll('*', '.*').replaceAll('%', '[^/]*')
      assert.equal(matchesPattern(name, pattern), new RegExp(`^${source}$`).test(name))
    }),
    { numRuns: 2000 },
  )
})

test('a thousand wildcards cost a thousand names no time to speak of', () => {
  const { user } = process.cpuUsage()
  for (const pattern of ['*'.repeat(1000), `${'%'.repeat(999)}y`, `${'*x'.repeat(500)}y`])
    for (let n = 0; n < 1000; n++) matchesPattern('x'.repeat(100), pattern)
  assert.ok(process.cpuUsage().user - user < 5_000_000)
})

test('what would take too long is known beforehand', () => {
  const names = Array.from({ length: 10_000 }, (_, n) => `Archive/2026/${n}`)
  assert.equal(isTooMuch(names, ['*', '%', 'Archive/*', '*/2026/%', '*foo*']), false)
  assert.equal(isTooMuch(names, ['*a'.repeat(500)]), true)
  assert.equal(isTooMuch(names, Array(100).fill('%a%b%c%d%e')), true)
})
