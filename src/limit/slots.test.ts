import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Slots } from './slots.ts'

test('so many run, so many wait in order, and the rest are told at once', async () => {
  const slots = new Slots(2, 2)
  const finish: (() => void)[] = []
  const order: number[] = []
  const job = (n: number) =>
    slots.run(() => {
      order.push(n)
      return new Promise<number>(resolve => finish.push(() => resolve(n)))
    })
  const jobs = [1, 2, 3, 4].map(job)
  assert.deepEqual(await job(5), { kind: 'busy' })
  assert.deepEqual([slots.running, slots.waiting], [2, 2])
  finish[1]?.()
  assert.deepEqual(await jobs[1], { kind: 'done', value: 2 })
  assert.deepEqual(order, [1, 2, 3])
  finish[0]?.()
  await jobs[0]
  finish[2]?.()
  finish[3]?.()
  assert.deepEqual(await jobs[3], { kind: 'done', value: 4 })
  assert.deepEqual(order, [1, 2, 3, 4])
  assert.deepEqual([slots.running, slots.waiting], [0, 0])
})

test('work that fails gives its slot back', async () => {
  const slots = new Slots(1, 0)
  await assert.rejects(slots.run(() => Promise.reject(new Error('no'))))
  assert.deepEqual(await slots.run(async () => 1), { kind: 'done', value: 1 })
})

/** Work that ends when the test says so, and the order in which it began. */
function line(waitingMax: number, atOnce = 1) {
  const slots = new Slots(atOnce, waitingMax)
  const begun: string[] = []
  const ends: (() => void)[] = []
  const come = (name: string, rank: number, lane: string, yields = false) =>
    slots
      .run(
        () => {
          begun.push(name)
          return new Promise<void>(resolve => ends.push(resolve))
        },
        { rank, lane, yields },
      )
      .then(({ kind }) => `${name} ${kind}`)
  const step = async () => {
    ends.shift()?.()
    await new Promise<void>(resolve => setImmediate(resolve))
  }
  const finish = async () => {
    while (ends.length > 0) await step()
  }
  return { slots, begun, come, finish, step }
}

test('lower ranks go first, and lanes of one rank take turns', async () => {
  const { begun, come, finish } = line(10)
  void come('first', 1, 'a')
  for (const n of [1, 2, 3]) void come(`a${n}`, 1, 'a')
  void come('b1', 1, 'b')
  void come('known', 0, 'c')
  await finish()
  assert.deepEqual(begun, ['first', 'known', 'a1', 'b1', 'a2', 'a3'])
})

test('in a full line who has a claim takes the place of who has less, and else is told at once', async () => {
  const { slots, begun, come, finish } = line(3)
  void come('first', 1, 'a')
  const flood = [1, 2, 3, 4].map(n => come(`a${n}`, 1, 'a'))
  assert.equal(await flood[3], 'a4 busy')
  const other = come('b1', 1, 'b')
  assert.equal(await flood[2], 'a3 busy')
  assert.equal(await come('b2', 1, 'b'), 'b2 busy')
  void come('known', 0, 'a')
  assert.equal(await flood[1], 'a2 busy')
  assert.equal(await come('worse', 2, 'z'), 'worse busy')
  assert.equal(slots.waiting, 3)
  await finish()
  assert.deepEqual(begun, ['first', 'known', 'a1', 'b1'])
  assert.equal(await other, 'b1 done')
  assert.deepEqual([slots.waiting, slots.running], [0, 0])
})

test('whom all others overtake is told to come later, and waits for ever behind nobody', async () => {
  const { come, finish, step } = line(4)
  void come('first', 0, 'a')
  const last = come('last', 4, 'a')
  let told = ''
  void last.then(text => {
    told = text
  })
  for (let n = 0; n < 20; n++) {
    if (told === '') assert.ok(n <= 9)
    void come(`n${n}`, 0, 'a')
    await step()
  }
  assert.equal(told, 'last busy')
  await finish()
})

test('who yields leaves one slot free, and takes his turn again behind whoever took it', async () => {
  const { slots, begun, come, finish, step } = line(10, 2)
  for (const n of [1, 2, 3]) void come(`guess${n}`, 9, 'a', true)
  assert.deepEqual([begun, slots.running, slots.waiting], [['guess1'], 1, 2])
  void come('honest', 1, 'b')
  assert.deepEqual(begun, ['guess1', 'honest'])
  void come('another', 1, 'c')
  await step()
  assert.deepEqual(begun, ['guess1', 'honest', 'another'])
  // Both slots are taken by who does not yield: the first of them that ends gives one back, and one only.
  await step()
  assert.deepEqual(begun, ['guess1', 'honest', 'another', 'guess2'])
  await step()
  assert.deepEqual([slots.running, slots.waiting], [1, 1])
  await finish()
  assert.deepEqual(begun.at(-1), 'guess3')
  assert.deepEqual([slots.running, slots.waiting], [0, 0])
})

test('with one slot in all there is none to leave', async () => {
  const { begun, come, finish } = line(10)
  void come('guess', 9, 'a', true)
  assert.deepEqual(begun, ['guess'])
  await finish()
})
