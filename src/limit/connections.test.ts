import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Connections } from './connections.ts'

test('an address has its share, a network of IPv6 is one, and all have a limit together', () => {
  const connections = new Connections(() => ({ connections: 10, perAddress: 2, perNetwork: 10 }))
  assert.equal(connections.enter('192.0.2.1', false), undefined)
  assert.equal(connections.enter('192.0.2.1', false), undefined)
  assert.equal(connections.enter('192.0.2.1', false), 'from one address')
  connections.leave('192.0.2.1')
  assert.equal(connections.enter('192.0.2.1', false), undefined)
  assert.equal(connections.enter('2001:db8::1', false), undefined)
  assert.equal(connections.enter('2001:db8::ffff', false), undefined)
  assert.equal(connections.enter('2001:db8:0:0:1::', false), 'from one address')
  assert.equal(connections.total, 4)
})

test('the addresses of one /24 have a limit together, those of the next one another', () => {
  const connections = new Connections(() => ({ connections: 10, perAddress: 2, perNetwork: 3 }))
  for (const n of [1, 2, 3]) assert.equal(connections.enter(`192.0.2.${n}`, false), undefined)
  assert.equal(connections.enter('192.0.2.4', false), 'from one network')
  assert.equal(connections.enter('192.0.3.4', false), undefined)
  connections.leave('192.0.2.1')
  assert.equal(connections.enter('192.0.2.4', false), undefined)
})

test('who stands for many may have half of all, and what the setting says where it says something', () => {
  const half = new Connections(() => ({ connections: 10, perNetwork: 3 }))
  for (let n = 0; n < 5; n++) assert.equal(half.enter('127.0.0.1', true), undefined)
  assert.equal(half.enter('127.0.0.1', true), 'from one address')
  assert.equal(half.enter('192.0.2.1', false), undefined)
  const set = new Connections(() => ({ connections: 10, perAddress: 2, perNetwork: 3 }))
  for (let n = 0; n < 2; n++) assert.equal(set.enter('127.0.0.1', true), undefined)
  assert.equal(set.enter('127.0.0.1', true), 'from one address')
})

test('all together have a limit that nobody is exempt from', () => {
  const connections = new Connections(() => ({ connections: 2, perAddress: 9, perNetwork: 9 }))
  assert.equal(connections.enter('127.0.0.1', true), undefined)
  assert.equal(connections.enter('192.0.2.1', false), undefined)
  assert.equal(connections.enter('127.0.0.1', true), 'in all')
})
