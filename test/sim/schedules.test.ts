/** Schedules for some destinations, as mail lives by them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, toldOf } from './oracle.ts'
import { createTown } from './town.ts'

test('two recipients of one message are given up each in its own time, after its own attempts', async () => {
  const town = await createTown({
    seed: 'schedules',
    servers: [
      {
        domain: 'a.test',
        accounts: ['alice'],
        config: {
          queue: {
            retry: ['1h'],
            expire: '2d',
            schedules: [{ match: { recipient: '@b.test' }, expire: '3h', delayWarning: '0' }],
          },
        },
      },
      { domain: 'b.test', accounts: ['bob'] },
      { domain: 'c.test', accounts: ['carol'] },
    ],
  })
  const ours = town.server('a.test')
  for (const domain of ['b.test', 'c.test']) {
    town.internet.network.part(ours.name, town.server(domain).name)
  }
  await town.send({ from: 'alice@a.test', to: ['bob@b.test', 'carol@c.test'] })
  const failed = async () => {
    const notices = await town.internet.complete(town.user('alice@a.test').read())
    return notices.flatMap(({ octets }) => toldOf(Buffer.from(octets).toString(), 'failed'))
  }
  await town.advance('175 minutes')
  assert.deepEqual(await failed(), [])
  await town.advance('10 minutes')
  assert.deepEqual(await failed(), ['bob@b.test'])
  await town.advance('2 days')
  assert.deepEqual(await failed(), ['bob@b.test', 'carol@c.test'])
  assert.deepEqual(await judge(town), [])
})
