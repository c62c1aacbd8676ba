/** Epochs: config files of every kind, in real threads. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { nodeClock } from '../world/node/clock.ts'
import { type Epoch, type EpochSource, loadEpoch } from './epoch.ts'
import { formatSettingError } from './settings/errors.ts'
import { judge, type Written } from './settings/judge.ts'

const folder = mkdtempSync(join(tmpdir(), 'postrider epoch '))
after(() => rmSync(folder, { recursive: true }))
const world = { clock: nodeClock }
let files = 0

function config(extension: string, text: string): string {
  const path = join(folder, `config ${files++}.${extension}`)
  writeFileSync(path, text)
  return path
}

/** Validated here, which is quicker than a thread for each. */
const judged = async (written: Written) => judge(written)

async function epoch(source: EpochSource): Promise<Epoch> {
  const result = await loadEpoch(source, world, judged)
  if ('errors' in result) assert.fail(result.errors.map(formatSettingError).join('\n'))
  return result
}

async function errors(source: EpochSource): Promise<string[]> {
  const result = await loadEpoch(source, world, judged)
  assert.ok('errors' in result, 'the config was taken')
  return result.errors.map(formatSettingError)
}

const peer = {
  remote: { address: '192.0.2.1', port: 1 },
  local: { address: '192.0.2.2', port: 25 },
  hello: '',
  extended: false,
}

test('a config in TypeScript is typed, finds postrider from any folder, and its hooks answer', async () => {
  const file = config(
    'ts',
    `import { defineConfig, refuse } from 'postrider'
     const host: string = 'mail.example.org'
     export default defineConfig({
       hostname: host,
       data: 'state',
       hooks: {
         connect: ({ peer }) => peer.remote.address === '192.0.2.1'
           ? refuse(554, '7.1', 'not you') : undefined,
         hello: async () => { throw new Error('oops') },
         mail: () => ({ kind: 'refuse', code: 250, detail: '1.1', text: 'nonsense' }),
       },
     })`,
  )
  const { settings, hooks, hash } = await epoch({ config: file })
  assert.equal(settings.hostname, 'mail.example.org')
  assert.equal(settings.data, join(folder, 'state'))
  assert.equal(settings.listeners.local.path, join(folder, 'state', 'local.sock'))
  assert.match(hash, /^[0-9a-f]{12}$/)
  assert.ok(hooks !== undefined)
  const deferred = {
    kind: 'defer',
    code: 451,
    detail: '3.0',
    text: 'Local policy is not available, try again later',
  }
  const refused = { kind: 'refuse', code: 554, detail: '7.1', text: 'not you' }
  assert.deepEqual(await hooks.ask('connect', { peer }), refused)
  const other = { ...peer, remote: { address: '192.0.2.9', port: 1 } }
  assert.equal(await hooks.ask('connect', { peer: other }), undefined)
  assert.deepEqual(await hooks.ask('hello', { peer }), deferred)
  assert.deepEqual(
    await hooks.ask('mail', { peer, sender: { reversePath: null, body: '7BIT', utf8: false } }),
    deferred,
  )
  const message = { sender: '', origin: 'mx', peer: '', sizeOctets: 1 } as const
  const route = { recipient: 'a@b', domain: 'b', ...message }
  assert.equal(await hooks.ask('route', route), undefined)
  hooks.close()
})

test('an endless loop costs one answer: the thread is replaced and answers again', async () => {
  const file = config(
    'ts',
    `import { accept } from 'postrider'
     export default {
       hookBudget: '300ms',
       hooks: {
         connect: ({ peer }: any) => { while (peer.hello === 'loop') {} ; return accept('fine') },
         hello: () => process.exit(1),
       },
     }`,
  )
  const { hooks } = await epoch({ config: file })
  assert.ok(hooks !== undefined)
  const [looped, waited] = await Promise.all([
    hooks.ask('connect', { peer: { ...peer, hello: 'loop' } }),
    hooks.ask('connect', { peer }),
  ])
  assert.equal(looped?.kind, 'defer')
  assert.deepEqual(waited, { kind: 'accept', text: 'fine' })
  assert.equal((await hooks.ask('hello', { peer }))?.kind, 'defer')
  assert.deepEqual(await hooks.ask('connect', { peer }), { kind: 'accept', text: 'fine' })
  hooks.close()
})

test('JSON and TOML say the same as TypeScript, and --set is over them', async () => {
  const json = config('json', '{ "queue": { "expire": "2d" }, "hostname": "a.example.org" }')
  const toml = config('toml', 'hostname = "a.example.org"\n[queue]\nexpire = "2d"\n')
  for (const file of [json, toml]) {
    const { settings, hooks } = await epoch({ config: file, set: ['queue.retry=2s,4s'] })
    assert.equal(settings.hostname, 'a.example.org')
    assert.equal(settings.queue.expire, 172_800_000)
    assert.deepEqual(settings.queue.retry, [2000, 4000])
    assert.equal(hooks, undefined)
  }
})

test('the demo needs no config and takes its flags', async () => {
  const source = { demo: true, data: folder, ports: 'auto', smarthost: '127.0.0.1:26' } as const
  const { settings, hooks } = await epoch(source)
  assert.equal(hooks, undefined)
  assert.equal(settings.data, folder)
  assert.deepEqual(
    [settings.listeners.smtp.address, settings.listeners.smtp.port],
    ['127.0.0.1', 0],
  )
  assert.equal(settings.outbound.smarthost?.port, 26)
  const set = ['aliases={"a@demo.test":["alice@demo.test"],"b@other.test":["alice@demo.test"]}']
  const { warnings } = await epoch({ ...source, set })
  assert.deepEqual(
    warnings.map(text => text.slice(0, text.indexOf(':'))),
    ['aliases["b@other.test"]'],
  )
})

test('a thread that ends judges as it is judged here: settings, warnings and every error', async () => {
  const good = { demo: true, set: ['limits.exempt=10.0.0.0/8', 'queue.delayWarning=9d'] }
  const bad = { demo: true, set: ['queue.retry=2s,x', 'no.such=1', 'domains=a.test,a.test'] }
  const [right, wrong] = await Promise.all([loadEpoch(good, world), loadEpoch(bad, world)])
  assert.deepEqual(right, await epoch(good))
  assert.ok('errors' in wrong)
  assert.deepEqual(wrong.errors.map(formatSettingError), await errors(bad))
  assert.equal(wrong.errors.length, 2)
})

test('a config that cannot be loaded says why and where', async () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['ts', 'export default { hostname: ', /config/],
    ['ts', 'export default {\n  a: 1\n  b: 2,\n}', /config \d+\.ts:3: b: 2,/],
    ['mjs', 'export default {\n  a: 1\n  b: 2,\n}', /identifier 'b' \(.*config \d+\.mjs:3/],
    ['ts', 'export const a = 1', /must have a default export/],
    ['ts', 'export default 5', /the default export must be a group of settings/],
    ['ts', 'throw new Error("no way")', /no way/],
    ['ts', 'process.exit(0)', /must not call process\.exit/],
    ['ts', "import { createServer } from 'postrider'", /createServer/],
    ['ts', 'export default { hooks: { rctp() {} } }', /hooks\.rctp: .*did you mean `rcpt`/],
    ['ts', 'export default { hooks: { rcpt: 5 } }', /hooks\.rcpt: must be a function/],
    ['ts', 'export default { queue: { retry: () => 1 } }', /queue\.retry: must be a list/],
    ['json', '{"hooks":{}}', /hooks are functions/],
    ['json', '[]', /group of settings/],
    ['toml', 'a = ', /config/],
    ['yaml', 'a: 1', /is no kind of config/],
  ]
  for (const [extension, text, wanted] of cases) {
    const found = await errors({ config: config(extension, text) })
    assert.match(found.join('\n'), wanted, text)
  }
  assert.match((await errors({ config: join(folder, 'gone.ts') })).join(), /there is no such file/)
})

test('what is wrong with hooks is told with all else that is wrong', async () => {
  const text = `export default {
    users: [], listeners: { smtp: { prt: 25 } }, undelete: { keep: 'x' }, hooks: { mial() {}, rcpt: 5 },
  }`
  const found = await errors({ config: config('ts', text) })
  assert.deepEqual(found.map(line => String(line.split(':')[0])).sort(), [
    'hooks.mial',
    'hooks.rcpt',
    'listeners.smtp.prt',
    'undelete.keep',
    'users',
  ])
})
