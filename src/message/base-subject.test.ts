import assert from 'node:assert/strict'
import { test } from 'node:test'
import { baseSubject } from './base-subject.ts'

const rows: readonly (readonly [string, string, boolean])[] = [
  ['Hello', 'Hello', false],
  ['Re: Hello', 'Hello', true],
  ['RE : re: fw:  Hello', 'Hello', true],
  ['Fwd: Hello (fwd)', 'Hello', true],
  ['Hello (fwd) (FWD) ', 'Hello', true],
  ['[list] Hello', 'Hello', false],
  ['[list] Re: [more] Hello', 'Hello', true],
  ['Re [2]: Hello', 'Hello', true],
  ['[only a blob]', '[only a blob]', false],
  ['Re: [only a blob]', '[only a blob]', true],
  ['[fwd: Re: Hello]', 'Hello', true],
  ['[Fwd: [fwd: Hello (fwd)]]', 'Hello', true],
  ['  Hello \t world  ', 'Hello world', false],
  ['Regarding: Hello', 'Regarding: Hello', false],
  ['re', 're', false],
  ['Re:', '', true],
  ['', '', false],
  ['[a [b] Hello', '[a [b] Hello', false],
]

for (const [subject, text, isReply] of rows) {
  test(`'${subject}' is '${text}' (RFC 5256 §2.1)`, () => {
    assert.deepEqual(baseSubject(subject), { text, isReply })
  })
}

test('a subject made to be slow is not', () => {
  for (const piece of ['[', '[]', '[] ', '(fwd)', 're:', '[fwd:', ' ']) {
    baseSubject(piece.repeat(100_000))
  }
})
