/** Reverse-paths of lists: one for each recipient, and whom a bounce is about. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAddress, parseStoredAddress } from './address.ts'
import { areDelimiters, verpRecipient, verpSender } from './verp.ts'

const owner = parseStoredAddress('news@list.example')

for (const [recipient, delimiters, local] of [
  ['joe@there.example', '+=', 'news+joe=there.example'],
  ['joe+x=y@there.example', '+=', 'news+joe+x=y=there.example'],
  ['joe@there.example', '-=', 'news-joe=there.example'],
  ['joe-b@there.example', '-~', 'news-joe-b~there.example'],
] as const) {
  test(`${recipient} by ${delimiters} is ${local}, and comes back`, () => {
    const sender = verpSender(owner, parseStoredAddress(recipient), delimiters)
    assert.equal(sender && formatAddress(sender), `${local}@list.example`)
    for (const text of [local, local.toUpperCase()]) {
      const found = verpRecipient(text, 'news', delimiters)
      assert.equal(found && formatAddress(found).toLowerCase(), recipient)
    }
  })
}

test('what fits into no local part has the address of its list', () => {
  for (const recipient of [
    `${'a'.repeat(60)}@x.example`,
    '"a b"@x.example',
    'jö@x.example',
    'a@[192.0.2.1]',
  ])
    assert.equal(verpSender(owner, parseStoredAddress(recipient)), undefined, recipient)
})

test('what is no such address is about nobody', () => {
  for (const local of [
    'news',
    'news+',
    'news+joe',
    'news+=there.example',
    'news+joe=',
    'old+a=b',
    'newsx+a=b',
  ])
    assert.equal(verpRecipient(local, 'news'), undefined, local)
})

test('delimiters are two different signs', () => {
  assert.deepEqual(['+=', '-=', '=+', '++', '+', '+=-', '@=', '+ ', ''].map(areDelimiters), [
    ...[true, true, true, false, false, false, false, false, false],
  ])
})
