/** RFC 3339 §5.6 without parts of a second: what is a time, and which. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatTimestamp, parseTimestamp } from './timestamp.ts'

test('a timestamp is read to the second, in any zone', () => {
  for (const [text, ms] of [
    ['1970-01-01T00:00:00Z', 0],
    ['2014-04-03T23:01:00Z', Date.UTC(2014, 3, 3, 23, 1)],
    ['2014-04-03t23:01:00z', Date.UTC(2014, 3, 3, 23, 1)],
    ['2014-04-03T23:01:00-07:30', Date.UTC(2014, 3, 4, 6, 31)],
    ['2014-04-03T23:01:00+00:00', Date.UTC(2014, 3, 3, 23, 1)],
    ['2016-12-31T23:59:60Z', Date.UTC(2017, 0, 1)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['0001-01-01T00:00:00Z', -62_135_596_800_000],
  ] as const)
    assert.equal(parseTimestamp(text), ms, text)
})

test('anything else is none', () => {
  for (const text of [
    '',
    'now',
    '2014-04-03',
    '2014-04-03T23:01Z',
    '2014-04-03T23:01:00',
    '2014-04-03T23:01:00.5Z',
    '2014-04-31T23:01:00Z',
    '2023-02-29T00:00:00Z',
    '2014-13-01T00:00:00Z',
    '2014-00-01T00:00:00Z',
    '2014-04-03T24:00:00Z',
    '2014-04-03T23:60:00Z',
    '2014-04-03T23:01:61Z',
    '2014-04-03T23:01:00+24:00',
    '2014-04-03T23:01:00+0700',
    ' 2014-04-03T23:01:00Z',
  ])
    assert.equal(parseTimestamp(text), undefined, text)
})

test('what is written is read again', () => {
  for (const ms of [0, 1_764_216_000_000, Date.UTC(9999, 11, 31, 23, 59, 59)])
    assert.equal(parseTimestamp(formatTimestamp(ms)), ms)
  assert.equal(formatTimestamp(1_764_216_000_999), '2025-11-27T04:00:00Z')
  assert.equal(formatTimestamp(Number.MAX_SAFE_INTEGER), '9999-12-31T23:59:59Z')
})
