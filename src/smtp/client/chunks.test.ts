import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Chunks } from './chunks.ts'

/** Sends the pieces as content of the size; what left, and what was told in order. */
function send(
  sizeOctets: number,
  pieces: readonly string[],
  { stopBefore = pieces.length, withheld = false } = {},
) {
  const told: string[] = []
  const chunks = new Chunks(sizeOctets, 4, {
    moved: () => {},
    ending: () => told.push('end'),
    announced: command => told.push(command.trim()),
    differs: () => told.push('differs'),
    withheld: () => withheld,
  })
  let out = ''
  for (const [at, piece] of pieces.entries()) {
    if (at === stopBefore) chunks.stop()
    out += Buffer.from(chunks.push(Buffer.from(piece))).toString()
  }
  out += Buffer.from(chunks.end()).toString()
  return { out, told: told.join(', '), chunks }
}

for (const [name, size, pieces, out, told] of [
  ['nothing', 0, [], 'BDAT 0 LAST\r\n', 'BDAT 0 LAST, end'],
  ['less than a chunk', 3, ['abc'], 'BDAT 3 LAST\r\nabc', 'BDAT 3 LAST, end'],
  ['just one chunk', 4, ['ab', 'cd'], 'BDAT 4 LAST\r\nabcd', 'BDAT 4 LAST, end'],
  [
    'octet by octet',
    5,
    ['a', 'b', 'c', 'd', 'e'],
    'BDAT 4\r\nabcdBDAT 1 LAST\r\ne',
    'BDAT 4, BDAT 1 LAST, end',
  ],
  ['all at once', 8, ['abcdefgh'], 'BDAT 4\r\nabcdBDAT 4 LAST\r\nefgh', 'BDAT 4, BDAT 4 LAST, end'],
  ['too little', 6, ['abcde'], 'BDAT 4\r\nabcdBDAT 2 LAST\r\ne', 'BDAT 4, BDAT 2 LAST, differs'],
  ['too little by a chunk', 8, ['abcd'], 'BDAT 4\r\nabcd', 'BDAT 4, differs'],
  ['nothing of something', 8, [], '', 'differs'],
  ['too much', 3, ['ab', 'cd'], 'BDAT 3 LAST\r\nab', 'BDAT 3 LAST, differs'],
  ['something of nothing', 0, ['a'], '', 'differs'],
] as const) {
  test(`content in chunks: ${name}`, () => {
    const sent = send(size, pieces)
    assert.deepEqual([sent.out, sent.told], [out, told])
  })
}

test('a stop lets the chunk under way be finished and no other begin', () => {
  const within = send(12, ['abcdef', 'ghijkl'], { stopBefore: 1 })
  assert.equal(within.out, 'BDAT 4\r\nabcdBDAT 4\r\nefgh')
  assert.deepEqual(
    [within.chunks.announced, within.chunks.complete, within.chunks.count],
    [2, 2, 3],
  )
  const between = send(12, ['abcd', 'efghijkl'], { stopBefore: 1 })
  assert.equal(between.told, 'BDAT 4')
})

test('an end that is withheld never leaves, however the content is cut', () => {
  for (const pieces of [['abcdef'], ['abcd', 'ef'], ['a', 'b', 'c', 'd', 'e', 'f']]) {
    const { out, told } = send(6, pieces, { withheld: true })
    assert.ok(!out.endsWith('f') && !told.includes('end'), `${out}: ${told}`)
  }
})
