/** What is remembered of structures is bounded by their size, not by their number. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StructureScanner } from '../message/structure-scan.ts'
import { KnownStructures } from './known-structures.ts'

function scanned(text: string) {
  const scanner = new StructureScanner()
  scanner.push(Buffer.from(text))
  return { root: scanner.finish(), weight: scanner.weight }
}

const wide = (parts: number) =>
  `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(parts)}--b--\r\n`

test('small structures are remembered, the oldest forgotten where there are too many', () => {
  const known = new KnownStructures()
  const { root, weight } = scanned(wide(1000))
  for (let id = 1; id <= 100; id++) known.set(id, root, weight)
  assert.equal(known.get(1), undefined)
  assert.equal(known.get(100), root)
  let held = 0
  for (let id = 1; id <= 100; id++) if (known.get(id) !== undefined) held += weight
  assert.ok(held > 40_000 && held <= 50_000, `${held}`)
})

test('a structure of very many parts, or parameters, is found anew each time', () => {
  const parameters = Array.from({ length: 10_000 }, (_, n) => `;p${n}=x`).join('')
  const part = `--b\r\nContent-Type: text/plain${parameters}\r\n\r\n`
  const long = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${part.repeat(8)}`
  for (const text of [wide(9000), long]) {
    const known = new KnownStructures()
    const { root, weight } = scanned(text)
    known.set(1, root, weight)
    assert.equal(known.get(1), undefined, `${weight}`)
  }
})
