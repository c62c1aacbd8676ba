import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDate, parseDate } from './date.ts'

test('a time is written in UTC with the day of the week', () => {
  assert.equal(formatDate(0), 'Thu, 1 Jan 1970 00:00:00 +0000')
  assert.equal(formatDate(1_795_301_727_999), 'Sat, 21 Nov 2026 22:55:27 +0000')
})

test('a time that no year can hold is moved to the nearest that can', () => {
  assert.equal(formatDate(Number.NaN), 'Thu, 1 Jan 1970 00:00:00 +0000')
  assert.equal(formatDate(-Infinity), 'Mon, 1 Jan 1900 00:00:00 +0000')
  assert.equal(formatDate(Infinity), 'Fri, 31 Dec 9999 23:59:59 +0000')
})

const base = Date.UTC(1997, 10, 21, 15, 55, 6)

for (const [text, expected] of [
  ['Fri, 21 Nov 1997 09:55:06 -0600', base],
  ['21 Nov 1997 15:55:06 +0000', base],
  ['21 Nov 97 15:55:06 GMT', base],
  ['Fri, 21 Nov 097 15:55:06 UT', base],
  ['Fri, 21 nov 1997 10:55:06 EST', base],
  ['Fri, 21 Nov 1997 11:55:06 EDT', base],
  ['Fri, 21 Nov 1997 09:55:06 cst', base],
  ['Fri, 21 Nov 1997 07:55:06 PST', base],
  ['Fri, 21 Nov 1997 15:55:06 A', base],
  ['Fri, 21 Nov 1997 15:55:06 XYZZY', base],
  ['Fri, 21 Nov 1997 15:55:06', base],
  ['Fri, 21 Nov 1997 15:55 +0000', base - 6000],
  ['Fri, 21 Nov 1997 09(comment):   55  :  06 -0600', base],
  ['Fri (a (nested \\) one)), 21 Nov 1997 09:55:06 -0600 (CST)', base],
  ['Fri,\r\n 21 Nov\r\n 1997 09:55:06 -0600', base],
  ['Thu 21 Nov 1997 15:55:06 +0000', base],
  ['1 Feb 49 00:00:00 +0000', Date.UTC(2049, 1, 1)],
  ['1 Feb 50 00:00:00 +0000', Date.UTC(1950, 1, 1)],
  ['29 Feb 2024 00:00:00 +0000', Date.UTC(2024, 1, 29)],
  ['31 Dec 2016 23:59:60 +0000', Date.UTC(2017, 0, 1)],
  ['1 Jan 2020 00:00:00 +1400', Date.UTC(2019, 11, 31, 10)],
  ['29 Feb 2023 00:00:00 +0000', undefined],
  ['31 Apr 2023 00:00:00 +0000', undefined],
  ['21 Nov 1997 24:00:00 +0000', undefined],
  ['21 Nov 1997 09:60:00 +0000', undefined],
  ['21 Nov 1997 09:55:06 +00', undefined],
  ['21 Nov 1997 09:55:06 +0060', undefined],
  ['21 Nov 1 09:55:06 +0000', undefined],
  ['21 Nov 1997', undefined],
  ['1997-11-21T09:55:06Z', undefined],
  ['(((((((', undefined],
  ['', undefined],
] as const) {
  test(`the date ${JSON.stringify(text)} reads as ${expected ?? 'no date'}`, () => {
    assert.equal(parseDate(text), expected)
  })
}

test('what is written reads back as the same second', () => {
  fc.assert(
    fc.property(fc.integer({ min: -2_208_988_800, max: 253_402_300_799 }), second => {
      assert.equal(parseDate(formatDate(second * 1000)), second * 1000)
    }),
  )
})

test('a megabyte of open comments is read quickly', () => {
  const started = process.cpuUsage()
  assert.equal(parseDate('('.repeat(1_000_000)), undefined)
  assert.ok(process.cpuUsage(started).user < 4000_000)
})
