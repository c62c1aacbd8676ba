/** When memory is given back: once a thread has come to rest, and not again before it was at work. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { spareAtRest } from './spare.ts'

const LOOK_MS = 100

/** Uses so much of this thread. */
function work(ms: number): void {
  const before = process.threadCpuUsage()
  for (let used = 0; used < ms * 1000; ) {
    const { user, system } = process.threadCpuUsage(before)
    used = user + system
  }
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!holds()) {
    assert.ok(Date.now() < deadline, 'it does not come')
    await sleep(10)
  }
}

test('a thread at rest collects once, and once more when it has worked again', async context => {
  const own = globalThis.gc
  let collected = 0
  globalThis.gc = (() => {
    collected++
  }) as NonNullable<typeof globalThis.gc>
  let much = false
  const end = spareAtRest(() => much, LOOK_MS, Number.NEGATIVE_INFINITY, Number.MAX_SAFE_INTEGER)
  context.after(() => {
    end()
    globalThis.gc = own
  })
  await until(() => collected === 1)
  await sleep(3 * LOOK_MS)
  assert.equal(collected, 1)
  const busy = setInterval(() => work(LOOK_MS / 10), LOOK_MS / 5)
  await sleep(3 * LOOK_MS)
  assert.equal(collected, 1, 'nothing is collected at work')
  clearInterval(busy)
  await until(() => collected === 2)
  much = true
  work(LOOK_MS)
  await sleep(3 * LOOK_MS)
  assert.equal(collected, 2, 'what was optimized is kept')
  end()
})

test('where little has come since, there is nothing to collect', async context => {
  const own = globalThis.gc
  let collected = 0
  globalThis.gc = (() => {
    collected++
  }) as NonNullable<typeof globalThis.gc>
  const end = spareAtRest(() => false, LOOK_MS, Number.MAX_SAFE_INTEGER)
  context.after(() => {
    end()
    globalThis.gc = own
  })
  await sleep(4 * LOOK_MS)
  assert.equal(collected, 0)
})

test('where it is not exposed, nothing is spared', () => {
  const own = globalThis.gc
  globalThis.gc = undefined
  spareAtRest(() => false)()
  globalThis.gc = own
})
