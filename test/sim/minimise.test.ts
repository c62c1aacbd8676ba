import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minimise } from './minimise.ts'
import { planStorm, type StormOptions } from './storm-plan.ts'

const options: StormOptions = { seed: 4, hours: 6 }

test('what is left out of a storm leaves the rest of it as it was', () => {
  const whole = planStorm(options)
  const less = planStorm({ ...options, without: new Set(['letter 2', 'latency']) })
  assert.deepEqual(
    less.letters,
    whole.letters.filter(({ name }) => name !== 'letter 2'),
  )
  assert.deepEqual(
    less.names,
    whole.names.filter(name => !['letter 2', 'latency'].includes(name)),
  )
  assert.ok(whole.names.length > 20)
})

test('a storm that fails is made as small as what makes it fail', async () => {
  const guilty = ['letter 3', planStorm(options).parts.at(-1)?.name ?? '']
  const fails = async (one: StormOptions) => {
    const { names } = planStorm(one)
    return guilty.every(name => names.includes(name))
  }
  const without = await minimise(options, fails)
  const { names } = planStorm({ ...options, without })
  for (const name of guilty) assert.ok(names.includes(name))
  // With them stay the domains of who writes and reads.
  assert.ok(names.length <= 5, names.join(', '))
})
