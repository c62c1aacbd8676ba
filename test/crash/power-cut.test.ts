/** A disk that is gone at once, with everything that was not synced; `npm run torture -- endure` has the long form. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { clear } from '../kit/server.ts'
import { mountSmallDisk } from '../kit/small-disk.ts'
import { endure } from './endure.ts'

after(clear)

const probe = mountSmallDisk(8)
const cuts = probe?.cut() === true
probe?.close()

test('what was acknowledged before a power cut is there behind it, once, octet for octet', {
  skip: !cuts && 'needs root, loop devices, and a kernel that shuts an ext4 down',
}, async context => {
  const report = await endure({
    minutes: 0.001,
    random: Math.random,
    words: ['power cut'],
    restMs: 20,
  })
  context.diagnostic(JSON.stringify(report))
  assert.deepEqual(report.blows, { 'power cut': 1 })
})
