/** Addresses and networks: what is one, how it is written, and what lies within. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { baseOf, formatIp, formatNetwork, isWithin, parseIp, parseNetwork } from './network.ts'

test('an address is written one way, however it came', () => {
  for (const [given, shown] of [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8::0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['fe80::', 'fe80::'],
    ['::', '::'],
    ['::1', '::1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['10:0:0:0:0:0:0:0', '10::'],
  ] as const) {
    const octets = parseIp(given)
    assert.ok(octets, given)
    assert.equal(formatIp(octets), shown)
  }
})

test('what is no address is refused', () => {
  const wrong = [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '1.2.3.04',
    '1.2.3.-4',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '1:2:3:4:5:6:7::8:9',
    'fe80::1%eth0',
    '12345::',
    '1.2.3.4::',
    'g::',
    '[::1]',
    ' ::1',
  ]
  for (const text of wrong) assert.equal(parseIp(text), undefined, text)
})

test('an address lies within the networks that hold it', () => {
  for (const [address, network, within] of [
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['192.0.2.127', '192.0.2.0/25', true],
    ['192.0.2.128', '192.0.2.0/25', false],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.2', '192.0.2.1', false],
    ['::ffff:10.9.9.9', '10.0.0.0/8', true],
    ['8.8.8.8', '0.0.0.0/0', true],
    ['2001:db8::1', '0.0.0.0/0', false],
    ['2001:db8::1', '::/0', true],
    ['2001:db8:ffff::1', '2001:db8::/32', true],
    ['2001:db9::1', '2001:db8::/32', false],
    ['unix', '0.0.0.0/0', false],
    ['', '::/0', false],
  ] as const) {
    const parsed = parseNetwork(network)
    assert.ok(parsed, network)
    assert.equal(isWithin(address, [parsed]), within, `${address} in ${network}`)
  }
  assert.equal(isWithin('127.0.0.1', []), false)
})

test('a network is its base, and its length has a limit', () => {
  for (const [given, base] of [
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['192.0.2.129/25', '192.0.2.128/25'],
    ['2001:db8::1/32', '2001:db8::/32'],
    ['192.0.2.1', '192.0.2.1/32'],
  ] as const) {
    const parsed = parseNetwork(given)
    assert.ok(parsed, given)
    assert.equal(formatNetwork(baseOf(parsed)), base)
  }
  for (const text of [
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '/8',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    'x',
  ]) {
    assert.equal(parseNetwork(text), undefined, text)
  }
})

test('a network that is wider than all of IPv4 is written as one of IPv6', () => {
  for (const text of ['::ffff:1.0.2.5/1', '10.0.0.0/0', '::/0']) {
    const network = parseNetwork(text)
    assert.ok(network)
    assert.equal(formatNetwork(network), text)
  }
})
