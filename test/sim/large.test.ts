/** What is too large for memory: read once on its way out, by whatever way it came there. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTown } from './town.ts'

const LINE = 'a line of a large letter, some fifty octets of it\r\n'
const LARGE = LINE.repeat(6_000)

for (const { title, body, patience, wanted } of [
  { title: 'at once', body: LARGE, patience: 0, wanted: 1 },
  { title: 'from the queue, after its host was away', body: LARGE, patience: 60, wanted: 1 },
  { title: 'with 8-bit octets', body: `${LARGE}\u00e9\r\n`, patience: 0, wanted: 1 },
  {
    title: 'but twice, where a line begins with a dot',
    body: `${LARGE}.\r\n`,
    patience: 0,
    wanted: 2,
  },
]) {
  test(`a large letter is read once on its way out: ${title}`, async () => {
    const town = await createTown({
      seed: 'large',
      servers: [
        { domain: 'a.test', accounts: ['alice'], config: { queue: { retry: ['30s'] } } },
        { domain: 'b.test', accounts: ['bob'] },
      ],
    })
    const [ours, theirs] = [town.server('a.test'), town.server('b.test')]
    if (patience > 0) town.internet.network.part(ours.name, theirs.name)
    const { disk } = ours.house.world
    const read = disk.read.bind(disk)
    let octets = 0
    disk.read = async function* (...asked: Parameters<typeof read>) {
      for await (const piece of read(...asked)) {
        octets += piece.length
        yield piece
      }
    }
    await town.send({ from: 'alice@a.test', to: ['bob@b.test'], body })
    await town.advance(`${1 + patience} seconds`)
    town.internet.network.heal(ours.name, theirs.name)
    await town.advance('5 minutes')
    const [letter] = await town.internet.complete(town.user('bob@b.test').read())
    assert.ok(letter && Buffer.from(letter.octets).includes(LARGE))
    assert.equal(Math.round(octets / LARGE.length), wanted)
  })
}
