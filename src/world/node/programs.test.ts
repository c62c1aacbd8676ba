/** Real programs: what they are given, what they say, and how they end. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Ended, Run } from '../programs.ts'
import { isRoot } from './process.ts'
import { nodePrograms } from './programs.ts'

const folder = mkdtempSync(join(tmpdir(), 'postrider-programs-'))
after(() => rmSync(folder, { recursive: true }))

const script = (text: string, more: Partial<Run> = {}): Run => ({
  argv: ['/bin/sh', '-c', text],
  environment: { PATH: '/usr/bin:/bin' },
  folder: '/',
  timeoutMs: 10_000,
  outputMax: 100,
  ...(isRoot() && { user: 'nobody' }),
  ...more,
})

const run = (text: string, input = 'hello\n', more: Partial<Run> = {}): Promise<Ended> =>
  nodePrograms.run(script(text, more), Buffer.from(input))

test('a program reads all, and its code and words are told', async () => {
  assert.deepEqual(await run('cat; echo bad >&2; exit 75'), {
    kind: 'exit',
    code: 75,
    output: 'hello\nbad\n',
  })
})

test('arguments are what they are, whatever stands in them', async () => {
  const argv = ['/bin/sh', '-c', 'printf "%s|" "$@"', 'x', '$(id)', '; rm -rf /', '`id`', '*', '']
  const ended = await nodePrograms.run(script('', { argv }), Buffer.from(''))
  assert.equal('output' in ended && ended.output, '$(id)|; rm -rf /|`id`|*||')
})

test('nothing of our environment is handed down', async () => {
  process.env['POSTRIDER_TEST_SECRET'] = 'secret'
  const environment = { PATH: '/usr/bin:/bin', COLOUR: 'red' }
  const ended = await run('env', '', { environment })
  assert.match('output' in ended ? ended.output : '', /COLOUR=red/)
  assert.doesNotMatch('output' in ended ? ended.output : '', /secret/)
})

test('a program that reads nothing is no error, however much there is', async () => {
  const ended = await run('exit 0', 'x'.repeat(5_000_000))
  assert.deepEqual(ended, { kind: 'exit', code: 0, output: '' })
})

test('a slow reader is waited for; a source that fails ends the program', async () => {
  let given = 0
  async function* source(fails: boolean) {
    for (let i = 0; i < 40; i++) {
      given++
      yield Buffer.alloc(65_536)
    }
    if (fails) throw new Error('torn')
  }
  const slow = nodePrograms.run(script('sleep 0.3; wc -c'), source(false))
  await new Promise(resolve => setTimeout(resolve, 150))
  assert.ok(given < 10, `${given} pieces were given to a program that sleeps`)
  const ended = await slow
  assert.equal('output' in ended && ended.output.trim(), String(40 * 65_536))
  await assert.rejects(nodePrograms.run(script('cat >/dev/null'), source(true)), /torn/)
})

test('output is bounded, and read to its end', async () => {
  const ended = await run('head -c 3000000 /dev/zero | tr "\\0" x; exit 3', '', { outputMax: 10 })
  assert.deepEqual(ended, { kind: 'exit', code: 3, output: 'xxxxxxxxxx' })
})

test('a program that takes too long ends with all it has started', async () => {
  const pids = join(folder, 'pids')
  // The file is made by us, for whomever it runs as.
  const text = `trap '' TERM; sleep 100 & echo $! ; echo $$; wait; sleep 100`
  const started = Date.now()
  const ended = await run(text, '', { timeoutMs: 200 })
  assert.equal(ended.kind, 'timeout', pids)
  assert.ok(Date.now() - started < 9_000)
  const output = 'output' in ended ? ended.output : ''
  for (const pid of output.trim().split('\n').map(Number)) {
    assert.ok(pid > 1)
    assert.ok(isGone(pid), `${pid} still runs`)
  }
})

/** A process that has ended may stand as a zombie until its parent has looked. */
function isGone(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return true
  }
}

test('a signal of others is told; what is not there is not started', async () => {
  assert.equal((await run('kill -KILL $$')).kind, 'signal')
  const gone = await run('', '', { argv: ['/nonexistent/program'] })
  assert.equal(gone.kind, 'unstarted')
})

test('nobody runs as root', async () => {
  const asRoot = await run('id -u', '', { user: 'root' })
  assert.deepEqual(asRoot, { kind: 'unstarted', reason: 'root is root' })
  const unknown = await run('id -u', '', { user: 'no-such-user-here' })
  assert.equal(unknown.kind, 'unstarted')
  if (!isRoot()) return
  const { user: _user, ...bare } = script('id -u')
  const ended = await nodePrograms.run(bare, Buffer.from(''))
  assert.equal(ended.kind, 'unstarted')
  const nobody = await run('id -u; id -G')
  assert.match('output' in nobody ? nobody.output : '', /^65534\n65534\n$/)
})

test('what runs is ended when the server ends', async () => {
  const slow = run('sleep 100', '')
  await new Promise(resolve => setTimeout(resolve, 200))
  nodePrograms.endAll()
  assert.equal((await slow).kind, 'signal')
})
