/** Which scope a mailbox is of. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Scope } from './notify.ts'
import { Scopes } from './scopes.ts'
import { parentsOf } from './server/command/listing.ts'

const named = (kind: 'subtree' | 'subtree-one' | 'mailboxes', ...names: string[]): Scope => ({
  kind,
  names: new Set(names),
})
const scopes: readonly Scope[] = [
  { kind: 'selected', delayed: false },
  named('mailboxes', 'a', 'b/c'),
  named('subtree-one', 'b', 'x/y'),
  named('subtree', 'b/c', 'd'),
  named('subtree', 'b'),
  { kind: 'subscribed' },
  { kind: 'inboxes' },
]

for (const [name, place, subscribed] of [
  ['a', 1],
  ['a/b', undefined],
  ['b', 2],
  ['b/c', 1],
  ['b/e', 2],
  ['b/c/e', 3],
  ['b/e/f', 4],
  ['bc', undefined],
  ['d', 3],
  ['d/e/f/g', 3],
  ['x', undefined],
  ['x/y/z', 2],
  ['x/y/z/z', undefined],
  ['INBOX', 6],
  ['INBOX/a', undefined],
  ['q', 5, true],
  ['INBOX', 5, true],
] as const) {
  test(`${name}${subscribed ? ', subscribed to,' : ''} is of the first scope that it belongs to (RFC 5465 §3.1)`, () => {
    assert.equal(new Scopes(scopes).first({ name, subscribed: subscribed === true }), place)
  })
}

test('personal is what nobody else has', () => {
  const personal = new Scopes([{ kind: 'personal' }])
  assert.equal(personal.first({ name: 'a', subscribed: false }), 0)
  assert.equal(personal.first({ name: 'Other Users/a/b', subscribed: true }), undefined)
})

const LEVELS = 99
const deep = Array.from({ length: 1000 }, (_, n) => `${n}/${'a/'.repeat(LEVELS - 1)}z`)

test('two hundred scopes of a thousand deep names are no more work than one', () => {
  const many = new Scopes(Array.from({ length: 200 }, (_, n) => named('subtree', `no${n}`)))
  const before = process.cpuUsage()
  for (const name of deep) assert.equal(many.first({ name, subscribed: false }), undefined)
  const { user, system } = process.cpuUsage(before)
  assert.ok(user + system < 1_000_000, `${user + system} microseconds`)
})

test('of levels that are no mailboxes no more are counted than wanted', () => {
  const mailboxes = deep.map(name => ({ name, exists: true, subscribed: false, specialUse: [] }))
  assert.equal(parentsOf(mailboxes).size, 1000 * LEVELS)
  assert.equal(parentsOf(mailboxes, 500).size, 6 * LEVELS)
})
