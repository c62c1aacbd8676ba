/** Queries as people write them: what is read, what is refused and where, and that a query is read as it was written. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  AMOUNT_FIELDS,
  type AmountField,
  ORIGINS,
  type Query,
  SHOWN_STATES,
  TEXT_FIELDS,
  type Term,
  type TextField,
} from './query.ts'
import { formatQuery, parseQuery, showMistake } from './query-text.ts'

function read(text: string): Query {
  const parsed = parseQuery(text)
  assert.equal(parsed.kind, 'query', JSON.stringify(parsed))
  return parsed.kind === 'query' ? parsed.query : []
}

const text = (field: TextField, any: readonly (readonly string[])[], not = false): Term => ({
  not,
  kind: 'text',
  field,
  any,
})

test('what a query means', () => {
  const cases: readonly (readonly [string, Query])[] = [
    ['', []],
    ['  ', []],
    ['to:joe@example.org', [text('to', [['joe@example.org']])]],
    ['TO:*@example.org', [text('to', [['', '@example.org']])]],
    ['-to:a', [text('to', [['a']], true)]],
    ['!to:a', [text('to', [['a']], true)]],
    ['to:(a b "c d")', [text('to', [['a'], ['b'], ['c d']])]],
    ['to:~news', [text('to', [['', 'news', '']])]],
    ['to:(~news x)', [text('to', [['', 'news', ''], ['x']])]],
    ['to:"~news"', [text('to', [['~news']])]],
    ['to:a\\*b', [text('to', [['a*b']])]],
    ['to:"a b"@x', [text('to', [['a b@x']])]],
    ['to:"\\"a b\\"@x"', [text('to', [['"a b"@x']])]],
    ['from:<>', [text('from', [['']])]],
    ['from:""', [text('from', [['']])]],
    ['from:<*@x>', [text('from', [['', '@x']])]],
    ['reason:refused', [text('reason', [['', 'refused', '']])]],
    ['reason:~"timed out"', [text('reason', [['', 'timed out', '']])]],
    ['reason:*x*', [text('reason', [['', 'x', '']])]],
    ['status:4.*', [text('status', [['4.', '']])]],
    ['04abcdefgh012345', [text('id', [['04abcdefgh012345']])]],
    ['04ab*', [text('id', [['04ab', '']])]],
    [
      '04ab* to:x 05ab*',
      [
        text('id', [
          ['04ab', ''],
          ['05ab', ''],
        ]),
        text('to', [['x']]),
      ],
    ],
    ['state:Held', [{ not: false, kind: 'choice', field: 'state', any: ['held'] }]],
    [
      'state:(held doubt)origin:mx',
      [
        { not: false, kind: 'choice', field: 'state', any: ['held', 'doubt'] },
        { not: false, kind: 'choice', field: 'origin', any: ['mx'] },
      ],
    ],
    ['age>1h30m', [{ not: false, kind: 'amount', field: 'age', by: '>', value: 5_400_000 }]],
    ['size<=10MB', [{ not: false, kind: 'amount', field: 'size', by: '<=', value: 10_485_760 }]],
    ['attempts:3', [{ not: false, kind: 'amount', field: 'attempts', by: '=', value: 3 }]],
    ['priority<-1', [{ not: false, kind: 'amount', field: 'priority', by: '<', value: -1 }]],
    ['due<0', [{ not: false, kind: 'amount', field: 'due', by: '<', value: 0 }]],
  ]
  for (const [written, query] of cases) assert.deepEqual(read(written), query, written)
})

test('a mistake is told where it is', () => {
  const cases: readonly (readonly [string, number, number, RegExp])[] = [
    ['tto:x', 0, 3, /there is no tto.*is it to:\?/],
    ['from:a sender:x', 7, 6, /is it from:\?/],
    ['qqq:x', 0, 3, /there are to, domain/],
    ['to:', 3, 1, /missing/],
    ['to:(a', 3, 1, /no '\)'/],
    ['to:()', 3, 2, /empty/],
    ['to:"a b', 3, 1, /quote/],
    ['to>x', 2, 1, /':'/],
    ['to:x\\', 4, 1, /nothing/],
    ['joe@example.org', 0, 15, /to:joe@example.org or from:/],
    ['age:1h', 0, 4, /age>1h30m/],
    ['age>soon', 4, 4, /no duration/],
    ['age>1h*', 4, 3, /no duration/],
    ['size>', 5, 1, /missing/],
    ['attempts>1.5', 9, 3, /no count/],
    ['state:gone', 6, 4, /one of queued, deferred/],
    ['-04ab*', 0, 6, /neither/],
    ['state', 0, 5, /neither/],
    ['to:*********x', 3, 10, /stars/],
    [`to:${'x'.repeat(4_000)}`, 4_000, 1, /over 4000/],
    ['04ab* '.repeat(300), 1200, 1, /over 200/],
  ]
  for (const [written, at, length, message] of cases) {
    const parsed = parseQuery(written)
    assert.equal(parsed.kind, 'mistake', written)
    if (parsed.kind !== 'mistake') continue
    assert.match(parsed.message, message)
    assert.deepEqual([parsed.at, parsed.length], [at, length], written)
  }
})

test('a mistake is shown under the text', () => {
  const written = 'state:held tto:x'
  const parsed = parseQuery(written)
  assert.ok(parsed.kind === 'mistake')
  const lines = showMistake(written, parsed).split('\n')
  assert.deepEqual(lines.slice(1), ['  state:held tto:x', '             ^^^'])
})

/** Without two stars in a row, which nobody tells from one. */
const pattern = fc.array(fc.string({ unit: 'grapheme', maxLength: 6 }), {
  minLength: 1,
  maxLength: 4,
})
const not = fc.boolean()
const terms: fc.Arbitrary<Term>[] = [
  fc.record(
    {
      not,
      kind: fc.constant('text' as const),
      field: fc.constantFrom(...(Object.keys(TEXT_FIELDS) as TextField[])),
      any: fc.array(pattern, { minLength: 1, maxLength: 3 }),
    },
    { noNullPrototype: true },
  ),
  fc.record(
    {
      not,
      kind: fc.constant('choice' as const),
      field: fc.constant('state' as const),
      any: fc.subarray([...SHOWN_STATES], { minLength: 1 }),
    },
    { noNullPrototype: true },
  ),
  fc.record(
    {
      not,
      kind: fc.constant('choice' as const),
      field: fc.constant('origin' as const),
      any: fc.subarray([...ORIGINS], { minLength: 1 }),
    },
    { noNullPrototype: true },
  ),
  fc.record(
    {
      not,
      kind: fc.constant('amount' as const),
      field: fc.constantFrom(...(Object.keys(AMOUNT_FIELDS) as AmountField[])),
      by: fc.constantFrom('<' as const, '<=' as const, '>=' as const, '>' as const),
      value: fc.nat(999_999_999),
    },
    { noNullPrototype: true },
  ),
]

test('what is formatted is read as the same query', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(...terms), { maxLength: 6 }), query => {
      // Of a reason any part is meant, whatever is written.
      const meant = query.map(term =>
        term.kind === 'text' && term.field === 'reason'
          ? { ...term, any: term.any.map(pieces => ['', ...pieces, '']) }
          : term,
      )
      assert.deepEqual(read(formatQuery(meant)), meant)
    }),
  )
})

test('no text whatever makes the parser throw, and what it reads is formatted to the same', () => {
  const scraps = fc.constantFrom(
    'to:',
    '-',
    '!',
    '"',
    '(',
    ')',
    '*',
    '\\',
    '~',
    '<',
    '>',
    ':',
    ' ',
    'age>',
    '1h',
    'a@b',
  )
  const words = fc.array(fc.oneof(scraps, fc.string({ maxLength: 3 })), { maxLength: 12 })
  fc.assert(
    fc.property(words, parts => {
      const written = parts.join('')
      const parsed = parseQuery(written)
      if (parsed.kind === 'mistake') {
        assert.ok(parsed.at >= 0 && parsed.at <= written.length)
        assert.ok(showMistake(written, parsed).length > 0)
      } else assert.deepEqual(read(formatQuery(parsed.query)), parsed.query)
    }),
  )
})
