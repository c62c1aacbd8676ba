import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Connections } from './connections.ts'

test('an address has its share, a network of IPv6 is one, and all have a limit together', () => {
  const connections = new Connections(() => ({ totalMax: 10, perAddressMax: 2 }))
  assert.ok(connections.enter('192.0.2.1'))
  assert.ok(connections.enter('192.0.2.1'))
  assert.ok(!connections.enter('192.0.2.1'))
  connections.leave('192.0.2.1')
  assert.ok(connections.enter('192.0.2.1'))
  assert.ok(connections.enter('2001:db8::1'))
  assert.ok(connections.enter('2001:db8::ffff'))
  assert.ok(!connections.enter('2001:db8:0:0:1::'))
  assert.equal(connections.total, 4)
})

test('this machine itself may have half of all', () => {
  const connections = new Connections(() => ({ totalMax: 10, perAddressMax: 2 }))
  for (let n = 0; n < 5; n++) assert.ok(connections.enter('127.0.0.1'), String(n))
  assert.ok(!connections.enter('127.0.0.1'))
  assert.ok(connections.enter('192.0.2.1'))
})
