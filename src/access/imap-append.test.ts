/** Many messages of one command: what is held of them, and what is left of those that are given up. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client, opened, until } from '../../test/kit/imap-client.ts'
import { SimDisk } from '../world/sim/disk.ts'

const MESSAGE = `Subject: one\r\n\r\n${'x'.repeat(120_000)}\r\n`
/** 4 MB are held: of so many the last few are staged. */
const MANY = 40

/** A client over a store and a disk that does at once what it is asked. */
async function logged(): Promise<{ readonly client: Client; readonly disk: SimDisk }> {
  const { shared } = await opened()
  const { random, clock } = shared.world
  const disk = new SimDisk(random)
  const host = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    alive: () => true,
    later: async <T>(_label: string, run: () => T) => run(),
  }
  const client = new Client({ ...shared, world: { ...shared.world, disk: disk.mount(host) } })
  await client.say('LOGIN joe secret')
  return { client, disk }
}

const several = (count: number) =>
  Array.from({ length: count }, () => ` {${MESSAGE.length}+}\r\n${MESSAGE}`).join('')

test('of many messages of one command a few MB are held, and all of them are there', async () => {
  const { client, disk } = await logged()
  assert.match(await client.say(`APPEND INBOX${several(MANY)}`), /^x OK \[APPENDUID \d+ 1:40\]/m)
  const staged = disk.names.length
  assert.ok(staged > 0 && staged < MANY / 2, String(staged))
  await client.say('SELECT INBOX')
  for (const n of [1, MANY]) {
    const text = await client.say(`FETCH ${n} BODY.PEEK[]`)
    assert.ok(text.includes(MESSAGE.replaceAll('\r\n', '\n')), String(n))
  }
})

test('what was staged for an APPEND that comes to nothing is removed', async () => {
  const { client, disk } = await logged()
  assert.match(await client.say(`APPEND INBOX${several(MANY)} {0+}\r\n`), /^x NO/m)
  await until(async () => disk.names.length === 0)
  assert.deepEqual(disk.names, [])
  const words = Array.from({ length: 99 }, (_, n) => `k${n}`).join(' ')
  const keywords = Array.from(
    { length: 11 },
    (_, n) => ` (${words.replaceAll('k', `k${n}x`)}) {1+}\r\na`,
  )
  const refused = await client.say(`APPEND INBOX${several(MANY)}${keywords.join('')}`)
  assert.match(refused, /^x NO \[LIMIT\]/m)
  await until(async () => disk.names.length === 0)
  assert.deepEqual(disk.names, [])
  assert.match(await client.say('STATUS INBOX (MESSAGES)'), /MESSAGES 0/)
})
