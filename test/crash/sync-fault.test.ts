/**
 * A disk whose sync fails (EIO, by libfiu under the real process): nothing is acknowledged, nothing of
 * it comes back, and the server goes on when syncs work again. Skipped where fiu-run is missing.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { clear, type Server, startServer } from '../kit/server.ts'
import { contentOf, numberOf } from './load.ts'

const EIO = 5
const missing = spawnSync('fiu-ctrl', ['-h']).error !== undefined

after(clear)

async function send(server: Server, number: number, sizeOctets: number): Promise<string> {
  const smtp = await server.smtp()
  await smtp.command('MAIL FROM:<joe@remote.example>')
  await smtp.command(`RCPT TO:<${server.account(1).address}>`)
  const content = contentOf(number, sizeOctets)
  await smtp.send(`BDAT ${content.length} LAST\r\n`)
  await smtp.send(content)
  const { text } = await smtp.reply()
  smtp.end()
  return text
}

test('what could not be synced is refused and does not come back', {
  skip: missing && 'needs fiu-run and fiu-ctrl (libfiu)',
}, async () => {
  const server = await startServer({ under: ['fiu-run', '-x'] })
  const faults = (order: string) => {
    const { status, stderr } = spawnSync('fiu-ctrl', ['-c', order, String(server.pid)])
    assert.equal(status, 0, String(stderr))
  }
  assert.match(await send(server, 1, 900), /^250 /)
  assert.match(await send(server, 2, 300_000), /^250 /)
  faults(`enable name=posix/io/sync/*,failinfo=${EIO}`)
  for (const [number, size] of [
    [3, 900],
    [4, 300_000],
    [5, 900],
  ] as const) {
    assert.match(await send(server, number, size), /^451 4\.3\.0 /)
  }
  faults('disable name=posix/io/sync/*')
  assert.match(await send(server, 6, 900), /^250 /)
  assert.match(await send(server, 7, 300_000), /^250 /)
  await server.stop('SIGKILL')

  const again = await startServer({ data: server.data })
  const numbers = async () => (await again.mail(again.account(1))).map(numberOf)
  for (let tries = 0; tries < 50 && (await numbers()).length < 4; tries++) await sleep(100)
  assert.deepEqual(new Set(await numbers()), new Set([1, 2, 6, 7]))
  assert.equal((await again.stop()).code, 0)
  assert.equal((await again.run('check')).code, 0)
})
