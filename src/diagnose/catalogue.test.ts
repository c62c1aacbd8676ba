/** docs/diagnose.md has the catalogue; `npm run docs` prints it anew. Every remedy says what to do. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { catalogue, catalogueTable, type Entry } from './catalogue.ts'
import { finding, worstOf } from './finding.ts'

test('docs/diagnose.md has every finding', () => {
  const file = new URL('../../docs/diagnose.md', import.meta.url)
  const text = readFileSync(file, 'utf8')
  const [whole, start, shown, end] =
    /(<!-- findings:[^\n]*-->\n)([\s\S]*?)(<!-- end -->)/.exec(text) ?? []
  assert.ok(whole !== undefined)
  const printed = `${catalogueTable()}\n`
  if (process.env['UPDATE_DOCS'] === '1') {
    writeFileSync(
      file,
      text.replace(whole, () => `${start}${printed}${end}`),
    )
  } else assert.equal(shown, printed, 'run `npm run docs`')
})

test('what is wrong has a remedy, and what is good has none', () => {
  for (const [name, { usually, remedy }] of Object.entries<Entry>(catalogue)) {
    if (usually === 'good') assert.equal(remedy, undefined, name)
    else if (usually !== 'note') assert.ok(remedy, name)
  }
})

test('the worst finding decides, and of those as bad the first', () => {
  const of = (...findings: ReturnType<typeof finding>[]) =>
    worstOf([{ about: 'x', steps: [{ step: 's', tookMs: 0, findings }] }])
  assert.deepEqual(of(), { severity: 'good' })
  assert.deepEqual(of(finding('greeted', ''), finding('tls-missing', '')), {
    severity: 'warning',
    trade: 'tls',
  })
  const faults = [finding('recipient-unknown', ''), finding('dns-fails', '')]
  assert.deepEqual(of(finding('tls-missing', ''), ...faults), {
    severity: 'fault',
    trade: 'recipient',
  })
})
