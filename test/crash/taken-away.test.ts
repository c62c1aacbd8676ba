/** What is taken from under a server that runs: its standard output, its folder, its descriptors. It serves on, and says no word too much. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, renameSync } from 'node:fs'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Dialogue } from '../kit/dialogue.ts'
import { clear, newFolder, POSTRIDER, type Server, startServer } from '../kit/server.ts'

after(clear)

/** Lives through the last two, without ever having had descriptors to spare. */
let server: Server

async function until(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await done()); tries++) {
    assert.ok(tries < 1000, what)
    await sleep(50)
  }
}

test('a server serves on where nobody reads what its start prints; a command says that it had no room', async () => {
  const args = ['start', '--demo', '--data', newFolder(), '--ports', 'auto', '--json']
  const child = spawn(POSTRIDER, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  after(() => child.kill('SIGKILL'))
  child.stdout.destroy()
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text))
  await until('it is ready', () => log.includes('cannot write to standard output: EPIPE'))
  const port = Number(/"smtp":(\d+)/.exec(log)?.[1])
  const stranger = await Dialogue.connect(port)
  assert.equal((await stranger.reply()).code, 220)
  stranger.end()
  child.kill('SIGTERM')
  const [code] = await once(child, 'close')
  assert.equal(code, 0)
  const full = openSync('/dev/full', 'w')
  assert.equal(spawnSync(POSTRIDER, ['--help'], { stdio: ['ignore', full, 'ignore'] }).status, 74)
  closeSync(full)
})

test('what is kept in a folder that was taken away is not acknowledged, and is again when it is back', async () => {
  server = await startServer({ under: ['prlimit', '--nofile=64:64'] })
  const send = async () => {
    const smtp = await server.smtp()
    await smtp.command('MAIL FROM:<joe@remote.example>')
    await smtp.command(`RCPT TO:<${server.account(1).address}>`)
    await smtp.command('DATA')
    const { code } = await smtp.command('Subject: x\r\n\r\nx\r\n.')
    smtp.end()
    return code
  }
  assert.equal(await send(), 250)
  renameSync(server.data, `${server.data}-away`)
  assert.equal(await send(), 451)
  renameSync(`${server.data}-away`, server.data)
  assert.equal(await send(), 250)
  const log = `${server.data}/postrider.db-wal`
  renameSync(log, `${log}-away`)
  assert.equal(await send(), 451)
  renameSync(`${log}-away`, log)
  assert.equal(await send(), 250)
  assert.equal((await server.mail(server.account(1))).length, 3)
})

test('without a free descriptor it goes on, looks at its load as before, and takes mail when there are some again', async () => {
  const before = server.faults().length
  const crowd = await Promise.all(
    Array.from({ length: 80 }, () => server.connect('smtp').catch(() => undefined)),
  )
  await sleep(700)
  for (const each of crowd) each?.end()
  await until('it greets', async () => {
    const stranger = await server.connect('smtp', { timeoutMs: 500 }).catch(() => undefined)
    const code = await stranger?.reply().then(
      ({ code }) => code,
      () => 0,
    )
    stranger?.end()
    return code === 220
  })
  // The upkeep that fell into that time says so, and comes again.
  const faults = server
    .faults()
    .slice(before)
    .filter(line => !/"upkeep"/.test(line) || !/EMFILE/.test(line))
  assert.deepEqual(faults, [])
  assert.equal((await server.stop()).code, 0)
  assert.equal((await server.run('check')).code, 0)
})
