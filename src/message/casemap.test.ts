/** Which texts are one, and which are not, by i;unicode-casemap (RFC 5051 §2). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { casemap } from './casemap.ts'

const same = [
  ['Hello', 'hELLO'],
  ['ÉCOLE', 'e\u0301cole'],
  ['Grüße', 'GRÜßE'],
  ['Привет', 'ПРИВЕТ'],
  ['ΣΟΦΟΣ', 'σοφος'],
  ['Ａ１', 'a1'],
  ['ǆ', 'Ǆ'],
  ['ᾳ', 'ᾼ'],
  ['ᾀ', 'ᾈ'],
  ['Ⅷ', 'viii'],
  ['\u{10428}', '\u{10400}'],
] as const

for (const [left, right] of same) {
  test(`${left} is ${right}`, () => assert.equal(casemap(left), casemap(right)))
}

const different = [
  ['e', 'é'],
  ['Straße', 'STRASSE'],
  ['ა', 'Ა'],
  ['a', 'b'],
] as const

for (const [left, right] of different) {
  test(`${left} is not ${right}`, () => assert.notEqual(casemap(left), casemap(right)))
}
