/** Canonical and masqueraded addresses, each with the rules that made it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAddress, parseStoredAddress } from '../mail/address.ts'
import { type Place, rewriteAddress, rewritingOf } from './rewriting.ts'

const nothing = {
  sender: {},
  recipient: {},
  canonical: {},
  masquerade: [],
  exceptions: [],
  parts: ['envelope', 'header'],
} as const

const rules = rewritingOf({
  ...nothing,
  sender: { 'joe@example.org': 'joe.doe@example.org' },
  recipient: { 'boss@example.org': 'ann@example.org', '*@lists.example': '*-list@example.org' },
  canonical: {
    'root@*': 'ops@example.org',
    '*@old.example': '*@example.org',
    'j*@bücher.example': 'J*@example.org',
    'joe.doe@example.org': 'Joe.Doe@example.org',
  },
  masquerade: ['example.org', '!lab.example.org', 'deep.lab.example.org'],
  exceptions: ['Admin'],
})

const SENDER = { side: 'sender', part: 'envelope' } as const
const TO = { side: 'recipient', part: 'envelope' } as const
const FIELD = { side: 'recipient', part: 'header' } as const

const CASES: readonly (readonly [Place, string, string, string])[] = [
  [SENDER, 'joe@example.org', 'Joe.Doe@example.org', 'sender canonical'],
  [SENDER, 'JOE@Example.ORG', 'Joe.Doe@example.org', 'sender canonical'],
  [TO, 'joe@example.org', 'joe@example.org', ''],
  [TO, 'boss@example.org', 'ann@example.org', 'recipient'],
  [TO, 'news@lists.example', 'news-list@example.org', 'recipient'],
  [SENDER, 'root@anything.example', 'ops@example.org', 'canonical'],
  [TO, 'Ann.B@OLD.example', 'Ann.B@example.org', 'canonical'],
  [TO, '"a b"@old.example', '"a b"@example.org', 'canonical'],
  [TO, 'jim@xn--bcher-kva.example', 'Jim@example.org', 'canonical'],
  [TO, 'j@bücher.example', 'j@bücher.example', ''],
  [TO, 'ann@old.example.com', 'ann@old.example.com', ''],
  [SENDER, 'ann@ws1.example.org', 'ann@example.org', 'masquerade'],
  [FIELD, 'ann@ws1.example.org', 'ann@example.org', 'masquerade'],
  [TO, 'ann@ws1.example.org', 'ann@ws1.example.org', ''],
  [SENDER, 'ann@lab.example.org', 'ann@lab.example.org', ''],
  [SENDER, 'ann@a.lab.example.org', 'ann@a.lab.example.org', ''],
  [SENDER, 'ann@a.deep.lab.example.org', 'ann@deep.lab.example.org', 'masquerade'],
  [SENDER, 'admin@ws1.example.org', 'admin@ws1.example.org', ''],
  [SENDER, 'ann@notexample.org', 'ann@notexample.org', ''],
  [SENDER, 'ann@[192.0.2.1]', 'ann@[192.0.2.1]', ''],
]
for (const [place, from, to, by] of CASES) {
  test(`${from} as ${place.side} in the ${place.part} is ${to}`, () => {
    assert.ok(rules)
    const { address, steps } = rewriteAddress(rules, place, parseStoredAddress(from))
    assert.equal(formatAddress(address), to)
    assert.equal(steps.map(({ rule }) => rule.replace('rewrite.', '')).join(' '), by)
    assert.equal(steps.at(-1)?.to ?? from, to)
  })
}

test('where nothing is written nothing is done, and parts are left out', () => {
  assert.equal(rewritingOf(nothing), undefined)
  const header = rewritingOf({ ...nothing, parts: ['header'], masquerade: ['x.example'] })
  assert.ok(header)
  const address = parseStoredAddress('a@h.x.example')
  assert.equal(rewriteAddress(header, SENDER, address).address, address)
  assert.equal(rewriteAddress(header, FIELD, address).address.domain, 'x.example')
})
