import assert from 'node:assert/strict'
import { test } from 'node:test'
import { finished } from './gradual.ts'
import { scanHeader } from './header.ts'
import { type Thread, type ThreadAlgorithm, threadFactsOf, threading } from './thread.ts'

const threadsOf = (some: ReturnType<typeof messages>, algorithm: ThreadAlgorithm) =>
  finished(threading(some, algorithm))

/** `id subject references...`, dated by their order. */
function messages(...lines: readonly string[]) {
  return lines.map((line, at) => {
    const [id = '', subject = '', ...references] = line.split(' ')
    const refs = references.map(each => `<${each}>`).join(' ')
    const text = `Message-ID: <${id}>\r\nSubject: ${subject.replaceAll('_', ' ')}\r\nReferences: ${refs}\r\n`
    return threadFactsOf(at + 1, scanHeader(Buffer.from(text)), at * 1000)
  })
}

const shown = (threads: readonly Thread[]): string =>
  threads.map(({ uid = '-', children }) => `(${uid}${shown(children)})`).join('')

const rows: readonly (readonly [string, readonly string[], string])[] = [
  [
    'answers lie below what they answer',
    ['a x', 'b Re:_x a', 'c Re:_x a b', 'd y'],
    '(1(2(3)))(4)',
  ],
  ['a missing message is left out where one answer is there', ['b x a', 'c z'], '(1)(2)'],
  ['a missing message holds its answers together', ['b x a', 'c z a'], '(-(1)(2))'],
  [
    'of several missing messages above each other the topmost holds the answers',
    ['b x p q r', 'c z p q', 'd y p s'],
    '(-(1)(2)(3))',
  ],
  ['below one that is here, none of them is told', ['a w', 'b x a q r', 'c z a q'], '(1(2)(3))'],
  ['one subject makes one thread, the answer below', ['a x', 'b Re:_x'], '(1(2))'],
  ['one subject of two that answer nothing is held by nobody', ['a x', 'b x'], '(-(1)(2))'],
  ['an answer that came first lies below all the same', ['b Re:_x', 'a x'], '(2(1))'],
  ['who refers to himself makes no loop', ['a x a', 'b y c', 'c z b'], '(1)(3(2))'],
  ['an id is the same in quotes', ['"a"@h x', 'b y a@h', 'c z "a"@h'], '(1(2)(3))'],
  ['two messages of one id are two', ['a x', 'a y'], '(1)(2)'],
  ['without a subject nothing is gathered', ['a ', 'b '], '(1)(2)'],
]

for (const [name, lines, wanted] of rows) {
  test(`${name} (RFC 5256 §3)`, () => {
    assert.equal(shown(threadsOf(messages(...lines), 'REFERENCES')), wanted)
  })
}

test('by references alone, subjects say nothing, and a thread stands where its last message does', () => {
  const some = messages('a x', 'b x', 'c y', 'd Re:_x a', 'e z b')
  assert.equal(shown(threadsOf(some, 'REFS')), '(3)(1(4))(2(5))')
})

test('by subject alone, the first has all others below it (RFC 5256 §3)', () => {
  const some = messages('a x', 'b y', 'c Re:_x', 'd x')
  assert.equal(shown(threadsOf(some, 'ORDEREDSUBJECT')), '(1(3)(4))(2)')
})

test('a long chain, and many answers to one, take no long time', () => {
  const chain = Array.from({ length: 20_000 }, (_, n) => `m${n} x ${n > 0 ? `m${n - 1}` : ''}`)
  assert.ok(threadsOf(messages(...chain), 'REFERENCES').length > 0)
  const star = Array.from({ length: 20_000 }, (_, n) => `m${n} x${n} ${n > 0 ? 'm0' : ''}`)
  assert.equal(threadsOf(messages(...star), 'REFERENCES').length, 1)
})
