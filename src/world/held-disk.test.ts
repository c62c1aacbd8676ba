import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Disk } from './disk.ts'
import { heldDisk } from './held-disk.ts'

test('what is removed while a disk is held goes when the last holder lets go, once', async () => {
  const gone: string[] = []
  const remove = async (name: string) => void gone.push(name)
  const disk = heldDisk({
    remove,
    shared: { graceMs: 1, purge: remove },
  } as Partial<Disk> as Disk)
  const [first, second] = [disk.hold?.(), disk.hold?.()]
  await disk.remove('a')
  await disk.shared?.purge('b')
  await first?.()
  await first?.()
  assert.deepEqual(gone, [])
  await second?.()
  assert.deepEqual(gone, ['a', 'b'])
  await disk.remove('c')
  assert.deepEqual(gone, ['a', 'b', 'c'])
})
