import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JobLine } from './job-line.ts'

/** A batch by its jobs: 's' and a number is short, 'l' is long. */
function line(...names: readonly string[]) {
  const jobs = new JobLine<{ readonly name: string; readonly input: null; readonly rows: number }>()
  const push = (...more: readonly string[]) => {
    for (const name of more)
      jobs.push({ name, input: null, rows: name.startsWith('l') ? 10_000 : 1 })
  }
  push(...names)
  return { jobs, push, take: () => jobs.take().map(({ name }) => name) }
}

test('short jobs go together, in the order in which they came', () => {
  const { jobs, take } = line('s1', 's2', 's3')
  assert.deepEqual(take(), ['s1', 's2', 's3'])
  assert.ok(jobs.empty)
  assert.deepEqual(take(), [])
})

test('who waits with many long jobs waits for one of them at most', () => {
  const { push, take, jobs } = line('l1', 'l2', 's1', 'l3', 's2')
  assert.deepEqual(take(), ['s1', 's2'], 'short ones first')
  push('s3')
  assert.deepEqual(take(), ['l1'], 'and each long one comes to its turn')
  push('s4')
  assert.deepEqual(take(), ['s3', 's4'])
  assert.deepEqual(take(), ['l2'])
  assert.deepEqual(take(), ['l3'])
  assert.ok(jobs.empty)
})

test('a batch has bounds, and what is over them is not lost', () => {
  const { jobs, take } = line(...Array.from({ length: 10_000 }, (_, n) => `s${n}`), 'l')
  const counts: number[] = []
  const all: string[] = []
  while (!jobs.empty) {
    const batch = take()
    counts.push(batch.length)
    all.push(...batch)
  }
  assert.deepEqual(counts, [4096, 1, 4096, 1808])
  assert.equal(new Set(all).size, 10_001)
})

test('all that waits can be given up', () => {
  const { jobs } = line('s1', 'l1', 's2')
  assert.deepEqual(
    jobs.clear().map(({ name }) => name),
    ['s1', 's2', 'l1'],
  )
  assert.ok(jobs.empty)
})
