/** Other programs at an mbox that we write to: one that knows lock files alone, and one that knows fcntl(2) alone. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { nodeFiles } from '../../src/world/node/files.ts'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { becomes, post, said } from './letter.ts'
import { lacks, run } from './program.ts'

const WRITER = fileURLToPath(new URL('./mbox-lock.py', import.meta.url))
const TO = 'box@mbox.test'

let server: Server
const path = join(newFolder('mbox'), 'box')

before(async () => {
  writeFileSync(path, '')
  const routes = [{ match: { recipient: '@mbox.test' }, to: { mbox: path } }]
  server = await startServer({ set: { routes: JSON.stringify(routes), 'log.level': 'debug' } })
})

after(async () => {
  assert.deepEqual(server.faults(), [])
  await server.stop()
  clear()
})

test('what mutt_dotlock has locked is waited for', { skip: lacks('mutt_dotlock') }, async () => {
  assert.equal((await run('mutt_dotlock', [path])).code, 0)
  const id = await post(server, { to: [TO] })
  await sleep(1_500)
  assert.deepEqual(said(server, id), [])
  assert.equal(readFileSync(path, 'latin1'), '')
  assert.equal((await run('mutt_dotlock', ['-u', path])).code, 0)
  await becomes(server, id, TO, 'delivered')
})

/** 'unable' where the optional package is not here. */
async function native(): Promise<string | false> {
  const lock = await nodeFiles.lock(join(newFolder('lock'), 'probe'), true)
  if (typeof lock === 'object') await lock.release()
  return lock === 'unable' ? 'SKIPPED: the package koffi is not here' : false
}

test('a program that locks by fcntl alone and we write in turn, and no message is torn', {
  skip: lacks('python3') || (await native()),
}, async () => {
  const before = readFileSync(path, 'latin1').split(/^From /m).length
  const writing = run('python3', [WRITER, path, '150'])
  const ids: string[] = []
  for (let n = 0; n < 40; n++) {
    const content = `Subject: ours ${n}\r\n\r\n${'y'.repeat(20_000)}\r\n`
    ids.push(await post(server, { to: [TO], content }))
  }
  for (const id of ids) await becomes(server, id, TO, 'delivered', 40_000)
  const { code, text } = await writing
  assert.equal(code, 0, text)
  const messages = readFileSync(path, 'latin1').split(/^From /m)
  assert.equal(messages.length - before, 190)
  for (let n = 0; n < 150; n++) {
    const whole = `python Thu Jan  1 00:00:00 2026\nSubject: python ${n}\n\nx\n\n`
    assert.equal(messages.filter(message => message.trimEnd() === whole.trimEnd()).length, 1)
  }
  const long = messages.filter(message => /^Subject: ours \d+\n\ny{20000}\n\n?$/m.test(message))
  assert.equal(long.length, 40)
})
