import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Handshakes } from './handshakes.ts'

/** Begins them in order and tells which were cut; `-name` is one that comes about. */
function cutOf(atOnce: number, events: readonly string[]) {
  const handshakes = new Handshakes(atOnce)
  const cut: string[] = []
  const all = new Map(
    events
      .filter(name => !name.startsWith('-'))
      .map(name => [name, { from: name[0] as string, cut: () => void cut.push(name) }]),
  )
  for (const event of events) {
    const one = all.get(event.replace('-', ''))
    if (one === undefined) continue
    if (event.startsWith('-')) handshakes.over(one)
    else handshakes.begin(one)
  }
  return { cut, count: handshakes.count }
}

for (const [title, events, cut] of [
  ['while there is room none is cut', ['a1', 'a2', 'b1'], []],
  ['the oldest of one address goes', ['a1', 'a2', 'a3', 'a4', 'a5'], ['a1', 'a2']],
  ['who has most of them gives room to others', ['b1', 'a1', 'a2', 'c1', 'd1'], ['a1', 'b1']],
  ['what came about is not there to be cut', ['a1', 'a2', 'a3', '-a1', 'a4', 'a5'], ['a2']],
  ['one that is over twice counts once', ['a1', 'a2', '-a1', '-a1', 'a3', 'a4', 'a5'], ['a2']],
] as const) {
  test(title, () => {
    const seen = cutOf(3, events)
    assert.deepEqual(seen.cut, cut)
    assert.ok(seen.count <= 3)
  })
}
