import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FetchItem } from '../fetch-item.ts'
import { formatStates } from './told-states.ts'

const uid = { kind: 'UID' } as const
const flags = { kind: 'FLAGS' } as const
const modSeq = { kind: 'MODSEQ' } as const
const table = {
  uids: [7, 10, 4_294_967_295],
  modSeqs: [1, 9_007_199_254_740_991, 100],
  setOf: [1, 0, 1],
  sets: ['', '\\Flagged \\Seen'],
}

function told(items: readonly FetchItem[], uidOnly = false): string {
  return formatStates(table, [1, 0, 1_000], items, uidOnly).toString('latin1')
}

test('items stand in the order they were asked for; who has no number is passed over', () => {
  assert.equal(
    told([uid, flags]),
    '* 1 FETCH (UID 7 FLAGS (\\Flagged \\Seen))\r\n* 1000 FETCH (UID 4294967295 FLAGS (\\Flagged \\Seen))\r\n',
  )
  assert.equal(told([modSeq]), '* 1 FETCH (MODSEQ (1))\r\n* 1000 FETCH (MODSEQ (100))\r\n')
  assert.equal(
    told([flags, flags, uid], true),
    '* 7 UIDFETCH (FLAGS (\\Flagged \\Seen) FLAGS (\\Flagged \\Seen) UID 7)\r\n' +
      '* 4294967295 UIDFETCH (FLAGS (\\Flagged \\Seen) FLAGS (\\Flagged \\Seen) UID 4294967295)\r\n',
  )
})

test('who is recent is told so beside the flags', () => {
  const told = formatStates(table, [1, 2, 0], [flags], false, uid => uid > 6)
  assert.equal(
    told.toString('latin1'),
    '* 1 FETCH (FLAGS (\\Flagged \\Seen \\Recent))\r\n* 2 FETCH (FLAGS (\\Recent))\r\n',
  )
})

test('the largest numbers fit', () => {
  const one = { ...table, uids: [4_294_967_295], modSeqs: [9_007_199_254_740_991], setOf: [0] }
  assert.equal(
    formatStates(one, [4_294_967_295], [uid, flags, modSeq], false).toString('latin1'),
    '* 4294967295 FETCH (UID 4294967295 FLAGS () MODSEQ (9007199254740991))\r\n',
  )
})
