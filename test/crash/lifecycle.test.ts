/**
 * A life with signals: SIGTERM under load, a start on the same folder, SIGHUP with a good and a broken
 * config while sessions run, hooks that throw and loop, and a flood of wrong log-ins beside a client.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { Load, numberOf } from './load.ts'

after(clear)

const said = (server: Server, event: string) =>
  server.log.filter(line => line.includes(`"event":"${event}"`)).length

async function until(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await done()); tries++) {
    assert.ok(tries < 200, what)
    await sleep(50)
  }
}

/** Started again on the folder of one that was told to go. */
let again: Server

test('SIGTERM under load: 421 or finished, exit 0, nothing lost; accounts and certificate stay', async () => {
  const server = await startServer()
  const idle = await server.smtp()
  const load = new Load({ senders: 4, sizes: [900, 3000, 150_000], remote: false, restMs: 10 })
  load.start(server)
  await until('mail flows', () => load.sent.acknowledged.size > 20)
  server.signal('SIGTERM')
  assert.match((await idle.reply()).text, /^421 4\.3\.2 /)
  assert.deepEqual(await server.ended, { code: 0, signal: null })
  await load.stop()
  assert.deepEqual(server.faults(), [])

  again = await startServer({ data: server.data })
  const paths = [server.certificate, again.certificate]
  assert.equal(paths[0], paths[1])
  assert.deepEqual(again.accounts, server.accounts)
  const mail = () => again.mail(again.account(1))
  await until('delivered', async () => (await mail()).length >= load.sent.acknowledged.size)
  const stored = (await mail()).map(numberOf)
  assert.equal(new Set(stored).size, stored.length)
  for (const number of load.sent.acknowledged) assert.ok(stored.includes(number), `${number}`)
})

test('a flood of wrong log-ins leaves the loop free for others', async context => {
  let flooding = true
  const flood = Array.from({ length: 20 }, async () => {
    while (flooding) {
      const smtp = await again.smtp('submissions')
      const wrong = Buffer.from(`\0${again.account(0).address}\0wrong`).toString('base64')
      for (let i = 0; i < 3 && flooding && !smtp.gone; i++) {
        await smtp.command(`AUTH PLAIN ${wrong}`).catch(() => undefined)
      }
      smtp.end()
    }
  })
  const waits: number[] = []
  for (let i = 0; i < 15; i++) {
    const from = performance.now()
    assert.equal((await greet(again)).code, 250)
    waits.push(performance.now() - from)
    await sleep(50)
  }
  flooding = false
  await Promise.allSettled(flood)
  const worst = Math.max(...waits)
  context.diagnostic(`worst greeting of a stranger: ${worst.toFixed(0)} ms`)
  assert.ok(worst < 1500, `${worst} ms`)
  assert.equal((await again.stop()).code, 0)
})

/** Every server needs these; what only some need is loaded for those, and validation in a thread that ends. */
const EVERYBODYS = ['commander', 'pino']

function needless(loaded: readonly string[]): string[] {
  const path = new URL('../../package.json', import.meta.url)
  const { dependencies } = JSON.parse(readFileSync(path, 'utf8')) as { dependencies: object }
  const packages = Object.keys(dependencies).filter(name => !EVERYBODYS.includes(name))
  const marks = [...packages.map(name => `/node_modules/${name}/`), 'internal/deps/undici']
  assert.ok(packages.includes('zod'))
  return loaded.filter(module => marks.some(mark => module.includes(mark)))
}

test('SIGHUP takes a good config while sessions run and leaves the old one where the new is broken', async () => {
  const config = join(newFolder('config'), 'postrider.config.json')
  writeFileSync(config, JSON.stringify({ limits: { messageSize: '1MB' } }))
  const loaded = join(newFolder('loaded'), 'modules')
  const preload = fileURLToPath(new URL('../kit/loaded.ts', import.meta.url))
  const env = { NODE_OPTIONS: `--import ${preload}`, LOADED: loaded }
  const server = await startServer({ config, env })
  const sizeOf = async () => /SIZE (\d+)/.exec((await greet(server)).text)?.[1]
  assert.equal(await sizeOf(), '1048576')
  const running = await server.smtp()
  await running.command('MAIL FROM:<joe@remote.example>')
  writeFileSync(config, JSON.stringify({ limits: { messageSize: '2MB' } }))
  server.signal('SIGHUP')
  await until('reloaded', () => said(server, 'reloaded') === 1)
  assert.equal(await sizeOf(), '2097152')
  assert.equal((await running.command(`RCPT TO:<${server.account(0).address}>`)).code, 250)
  writeFileSync(config, '{ "limits": { "messageSize": "no size" }, ')
  server.signal('SIGHUP')
  await until('refused', () => said(server, 'reload.refused') === 1)
  assert.equal(await sizeOf(), '2097152')
  assert.equal((await running.command('DATA')).code, 354)
  assert.equal((await running.command('Subject: over\r\n\r\nboth reloads\r\n.')).code, 250)
  assert.equal((await server.stop()).code, 0)
  const modules = readFileSync(loaded, 'utf8').split('\n')
  assert.ok(modules.some(module => module.endsWith('/src/server/start.ts')))
  assert.deepEqual(needless(modules), [])
})

test('SIGHUP while it starts is no end, and reloads once it runs; SIGUSR1 opens no debugger', async () => {
  const folder = newFolder('hangup')
  const config = join(folder, 'postrider.config.mjs')
  const once = JSON.stringify(join(folder, 'once'))
  writeFileSync(
    config,
    `import { existsSync, writeFileSync } from 'node:fs'
    const first = !existsSync(${once})
    if (first) {
      writeFileSync(${once}, '')
      process.kill(process.pid, 'SIGHUP')
    }
    export default { limits: { messageSize: first ? '1MB' : '2MB' } }`,
  )
  const server = await startServer({ config })
  await until('reloaded', () => said(server, 'reloaded') === 1)
  assert.match((await greet(server)).text, /SIZE 2097152/)
  server.signal('SIGUSR1')
  // A debugger says so before anything that comes behind the signal is answered.
  for (let i = 0; i < 5; i++) await greet(server)
  assert.equal((await server.stop()).code, 0)
  assert.ok(!server.log.some(line => line.includes('Debugger')), server.log.join('\n'))
})

async function greet(server: Server) {
  const smtp = await server.connect('smtp')
  await smtp.reply()
  const reply = await smtp.command('EHLO client.example')
  smtp.end()
  return reply
}

test('a hook that throws, never ends or takes too long is 451, and others are served', async () => {
  const config = join(newFolder('config'), 'postrider.config.mjs')
  writeFileSync(
    config,
    `export default {
      hookBudget: '300ms',
      hooks: {
        async mail({ sender }) {
          const local = JSON.stringify(sender)
          if (local.includes('throws')) throw new Error('a bug in the config')
          if (local.includes('loops')) for (;;);
          if (local.includes('slow')) await new Promise(done => setTimeout(done, 10_000))
        },
      },
    }`,
  )
  const server = await startServer({ config })
  for (const name of ['throws', 'loops', 'slow', 'loops']) {
    const smtp = await server.smtp()
    const [bad, health] = await Promise.all([
      smtp.command(`MAIL FROM:<${name}@remote.example>`),
      fetch(`http://127.0.0.1:${server.port('http')}/health`),
    ])
    assert.match(bad.text, /^451 4\.3\.0 /, name)
    assert.equal(health.status, 200)
    assert.equal((await smtp.command('MAIL FROM:<good@remote.example>')).code, 250, name)
    smtp.end()
  }
  assert.deepEqual(
    server.log.filter(line => /uncaught|unhandled/i.test(line)),
    [],
  )
  assert.equal((await server.stop()).code, 0)
})
