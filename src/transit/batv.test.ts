/** Tags of reverse-paths: made, found again, and everything that is no tag of ours. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { formatAddress, parseStoredAddress } from '../mail/address.ts'
import { tagged, takesTag, untagged } from './batv.ts'

const DAY_MS = 24 * 3_600_000
/** Day 20,784 since the epoch: 784, and 791 a week later. */
const NOW = Date.UTC(2026, 10, 27, 8)
const keys = { secrets: ['a secret'], keepDays: 7 }

const tag = (text: string, at = NOW) => formatAddress(tagged(parseStoredAddress(text), keys, at))

function back(text: string, at = NOW, secrets = keys.secrets): string | undefined {
  const found = untagged(parseStoredAddress(text), { ...keys, secrets }, at)
  return found && formatAddress(found)
}

test('a tag is the one of the draft', () => {
  const hash = createHmac('sha1', 'a secret').update('0791joe@example.org').digest('hex')
  assert.equal(tag('joe@example.org'), `prvs=0791${hash.slice(0, 6)}=joe@example.org`)
})

test('a tag leads back for a week, in whatever case, by whichever secret', () => {
  const address = tag('Joe+x=y@example.org')
  for (const days of [-1, 0, 7])
    assert.equal(back(address, NOW + days * DAY_MS), 'Joe+x=y@example.org', `${days}`)
  for (const days of [8, 9, 100, 500]) assert.equal(back(address, NOW + days * DAY_MS), undefined)
  assert.equal(back(address.toUpperCase())?.toLowerCase(), 'joe+x=y@example.org')
  assert.equal(back(address, NOW, ['new', 'a secret']), 'Joe+x=y@example.org')
  assert.equal(back(address, NOW, ['new']), undefined)
  // Days are counted modulo 1000.
  const end = Math.ceil(NOW / DAY_MS / 1000) * 1000 * DAY_MS - 1
  assert.match(tag('joe@example.org', end), /^prvs=0006/)
  assert.equal(back(tag('joe@example.org', end), end + 3 * DAY_MS), 'joe@example.org')
})

test('what is no tag of ours leads nowhere', () => {
  const right = tag('joe@example.org')
  for (const wrong of [
    right.replace('joe', 'ann'),
    right.replace('example.org', 'example.net'),
    right.replace('prvs=0791', 'prvs=0792'),
    right.replace('prvs=0', 'prvs=1'),
    'prvs=0791=joe@example.org',
    'prvs=@example.org',
    'joe@example.org',
  ])
    assert.equal(back(wrong), undefined, wrong)
})

test('who has no room for a tag, or has one, gets none', () => {
  const takes = (text: string) => takesTag(parseStoredAddress(text))
  assert.equal(takes(`${'a'.repeat(48)}@example.org`), true)
  for (const text of [
    `${'a'.repeat(49)}@x.example`,
    '"a b"@x.example',
    'jö@x.example',
    'prvs=x@y.example',
  ])
    assert.equal(takes(text), false, text)
})
