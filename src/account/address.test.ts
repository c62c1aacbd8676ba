import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatAddress, parseStoredAddress } from '../mail/address.ts'
import {
  addressKey,
  canonical,
  checkAddress,
  checkDomain,
  sameAddress,
  withoutDetail,
} from './address.ts'

const key = (text: string) => addressKey(parseStoredAddress(text))

test('every spelling of an address has one key', () => {
  for (const [text, expected] of [
    ['Joe@Example.ORG', 'joe@example.org'],
    ['"joe"@example.org', 'joe@example.org'],
    ['"Joe Doe"@example.org', '"joe doe"@example.org'],
    ['JÖRG@bücher.example', 'jörg@xn--bcher-kva.example'],
    ['jo\u0308rg@Bücher.Example', 'jörg@xn--bcher-kva.example'],
    ['x@XN--BCHER-KVA.example', 'x@xn--bcher-kva.example'],
    ['x@bücher。example', 'x@xn--bcher-kva.example'],
    ['x@faß.example', 'x@xn--fa-hia.example'],
    ['x@[IPv6:2001:DB8::1]', 'x@[ipv6:2001:db8::1]'],
    ['PostMaster', 'postmaster'],
  ] as const)
    assert.equal(key(text), expected, text)
  assert.equal(sameAddress({ local: 'A', domain: 'B' }, { local: 'a', domain: 'b' }), true)
  assert.equal(sameAddress({ local: 'a@b', domain: 'c' }, { local: 'a', domain: 'b@c' }), false)
})

test('what Node would read into a domain is left alone', () => {
  for (const domain of ['ü@x', 'ü/x', 'ü:1', '%61ü', 'ü?x', 'ü#x', 'ü x', 'ü\\x', 'xn--ü'])
    assert.equal(canonical({ local: 'x', domain }).domain, domain)
})

test('the key is canonical: a key of a key is the same, whatever the address', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (local, domain) => {
      const once = canonical({ local, domain })
      const twice = canonical(once)
      // Final sigma and its like: lower case may depend on what stands around a letter, once.
      assert.deepEqual(canonical(twice), twice)
    }),
  )
})

test('the detail is what stands behind the first separator', () => {
  assert.equal(withoutDetail('joe+list', '+'), 'joe')
  assert.equal(withoutDetail('joe+list+more', '+'), 'joe')
  assert.equal(withoutDetail('joe+', '+'), 'joe')
  assert.equal(withoutDetail('+list', '+'), undefined)
  assert.equal(withoutDetail('joe', '+'), undefined)
  assert.equal(withoutDetail('joe-list', '-'), 'joe')
  assert.equal(withoutDetail('joe+list', ''), undefined)
  assert.equal(withoutDetail('joe+x%far.example', '+'), undefined)
  assert.equal(withoutDetail('joe+far!x', '+'), undefined)
})

test('what a person types as an address is taken or explained', () => {
  for (const [text, expected] of [
    [' Joe.Doe@Example.ORG ', 'joe.doe@example.org'],
    ['"joe doe"@example.org', '"joe doe"@example.org'],
    ['jörg@bücher.example', 'jörg@xn--bcher-kva.example'],
  ] as const) {
    const checked = checkAddress(text)
    assert.equal('key' in checked ? checked.key : checked.why, expected)
  }
  const kept = checkAddress('Joe.Doe@Example.ORG')
  assert.equal('address' in kept && formatAddress(kept.address), 'Joe.Doe@example.org')
  for (const text of [
    '',
    'joe',
    '@example.org',
    'joe@',
    'joe doe@example.org',
    'joe@doe@example.org',
    'joe@example.org\r\nX: y',
    'jo\0e@example.org',
    '.joe@example.org',
    'joe..doe@example.org',
    '<joe@example.org>',
    '"joe',
    '"joe"doe@example.org',
    'joe@exa mple.org',
    'joe@example.org.',
    'joe@-example.org',
    'joe@exa_mple.org',
    'joe@[192.0.2.1]',
    `${'j'.repeat(65)}@example.org`,
    `joe@${'e'.repeat(64)}.org`,
    `joe@${'example.'.repeat(32)}org`,
    'joe\ud800@example.org',
  ]) {
    const checked = checkAddress(text)
    assert.ok('why' in checked, text)
    assert.doesNotMatch(checked.why, /[\0-\x1f]/)
  }
})

test('what a person types as a domain is taken or explained', () => {
  assert.deepEqual(checkDomain('Bücher.Example'), { domain: 'xn--bcher-kva.example' })
  assert.deepEqual(checkDomain('localhost'), { domain: 'localhost' })
  for (const text of ['', '.', 'a..b', 'a b', 'a_b', '*.example.org', 'a%b', "a'b", 'xn--ü', 'ü/x'])
    assert.ok('why' in checkDomain(text), text)
})
