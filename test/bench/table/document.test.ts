/** The table and its plots from figures that were made up: what they say, that they are the same each time, and that docs hold what was measured. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { barPlot, linePlot } from '../plot.ts'
import { documentOf, merged } from './document.ts'
import type { Figure } from './figure.ts'

const rate: Figure = {
  ...{ group: 'rate', cell: 'deliver 1 KB', unit: 'messages a second', better: 'more' },
  values: { Postrider: [4_000, 4_200, 3_800], Postfix: [1_000, 2_000, 950] },
  cpu: { Postrider: [0.2, 0.2, 0.2], Postfix: [1, 2, 3] },
  failed: { Exim: 'it & <it> fell over' },
  points: [{ chart: 'by size', x: 1_024 }],
  ...{ seconds: 40, command: 'npm run bench -- --only table' },
}
const larger: Figure = {
  ...{ ...rate, cell: 'deliver 1 MB', values: { Postrider: [200] }, failed: {} },
  points: [{ chart: 'by size', x: 1_048_576 }],
}
const idle: Figure = {
  ...{ ...rate, group: 'idle', cell: 'an SMTP session', unit: 'KB', better: 'less' },
  ...{ values: { Postrider: [5], Postfix: [1_200] }, points: [], failed: {} },
}

test('a row has the medians, and how many times better we are, by what is better', () => {
  const { text } = documentOf({ where: ['a machine'], figures: [rate, idle] })
  assert.match(text, /\| \| Postrider \| Postfix \| Exim \|/)
  assert.match(text, /\| deliver 1 KB \| 4,000 \| 1,000 \(4\.00\) \| fails \|/)
  assert.match(text, /\| an SMTP session \| 5\.00 \| 1,200 \(240\.00\) \|/)
  assert.match(text, /- Exim, deliver 1 KB: it & <it> fell over/)
  assert.match(text, /\| deliver 1 KB \| 0\.20 \| 2\.00 \(10\.00\) \|/)
  assert.match(text, /`npm run bench -- --only table`/)
})

test('the same figures are the same table and the same plots', () => {
  const figures = [rate, larger, idle]
  assert.deepEqual(documentOf({ where: [], figures }), documentOf({ where: [], figures }))
})

test('a figure measured again takes the place of the one before it', () => {
  const again = { ...rate, seconds: 41 }
  assert.deepEqual(merged([rate, idle], [again, larger]), [again, idle, larger])
})

test('a plot is well-formed whatever the names and values are', () => {
  const odd = [0, 1, 1, 1_000_000].map((y, i) => [i + 1, y] as const)
  const lines = [
    { name: '<a> & b', points: odd },
    { name: 'one point', points: [[2, 3] as const] },
    { name: 'none', points: [] },
  ]
  const drawn = [
    linePlot('<both>', [{ title: 'a & b', lines, log: 'both', x: String }]),
    linePlot('plain', [{ title: 'a', lines, x: String }]),
    barPlot('bars', [{ title: 'nothing', bars: [] }]),
    barPlot('bars', [{ title: 'zero', bars: [{ name: 'x', value: 0 }] }]),
  ]
  for (const svg of drawn) {
    assert.doesNotMatch(svg, /NaN|Infinity|undefined|<both>|& /)
    assert.equal(svg.match(/<text/g)?.length, svg.match(/<\/text>/g)?.length)
  }
})

test('docs/performance.md has the table of the figures that are kept beside it', () => {
  const docs = new URL('../../../docs/', import.meta.url)
  const kept = new URL('performance/figures.json', docs)
  const page = readFileSync(new URL('performance.md', docs), 'utf8')
  assert.match(page, /<!-- the table begins -->\n.*\n<!-- the table ends -->/s)
  if (!existsSync(kept)) return
  const { text, plots } = documentOf(JSON.parse(readFileSync(kept, 'utf8')))
  assert.ok(page.includes(`<!-- the table begins -->\n${text}\n<!-- the table ends -->`))
  for (const [name, svg] of plots) {
    assert.equal(readFileSync(new URL(`performance/${name}.svg`, docs), 'utf8'), svg)
  }
})
