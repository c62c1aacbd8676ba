/** bin/postrider: found from anywhere, under any name, with a clear word where Node is wrong. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { command } from '../kit/command.ts'

const script = fileURLToPath(new URL('../../bin/postrider', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'postrider bin '))
after(() => rmSync(folder, { recursive: true }))

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const result = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    input: '',
    env: { PATH: '/usr/bin:/bin', ...env },
  })
  return { code: result.status, out: result.stdout, err: result.stderr }
}

/** A checkout with the script alone, and a node that says it is of some version. */
function checkout(name: string, version: string | undefined, modules: boolean): [string, string] {
  const root = join(folder, name)
  mkdirSync(join(root, 'bin'), { recursive: true })
  mkdirSync(join(root, 'path'))
  cpSync(script, join(root, 'bin', 'postrider'))
  if (modules) mkdirSync(join(root, 'node_modules'))
  for (const tool of ['sh', 'uname', 'readlink', 'dirname']) {
    symlinkSync(`/bin/${tool}`, join(root, 'path', tool))
  }
  if (version !== undefined) {
    const node = join(root, 'path', 'node')
    writeFileSync(node, `#!/bin/sh\n[ "$1" = --version ] && echo ${version} || echo ran "$@"\n`)
    chmodSync(node, 0o755)
  }
  return [join(root, 'bin', 'postrider'), join(root, 'path')]
}

test('it runs through a chain of links, from any folder, with spaces in the path', () => {
  symlinkSync(script, join(folder, 'first link'))
  mkdirSync(join(folder, 'sub folder'))
  symlinkSync('../first link', join(folder, 'sub folder', 'postrider'))
  const { code, out } = run('sub folder/postrider', ['--version'])
  assert.equal(code, 0)
  assert.match(out, /^\d+\.\d+\.\d+\n$/)
})

test('called as sendmail or mailq it is that command, and 75 says that no server is there', () => {
  const env = { POSTRIDER_DATA: join(folder, 'nowhere') }
  for (const [name, args, code] of [
    ['sendmail', ['joe@example.org'], 75],
    ['newaliases', [], 0],
    ['mailq', [], 66],
  ] as const) {
    symlinkSync(script, join(folder, name))
    const result = run(`./${name}`, args, env)
    assert.equal(result.code, code, `${name}: ${result.err}`)
  }
})

test('without packages, without Node and with too old a Node it says what to do, in one line', () => {
  const cases: readonly (readonly [string, string | undefined, boolean, number, RegExp])[] = [
    ['no packages', 'v24.21.0', false, 69, /run npm ci/],
    ['no node', undefined, true, 69, /install Node 24\.15 or newer/],
    ['old node', 'v20.20.2', true, 78, /Node v20\.20\.2 is too old: install Node 24\.15 or newer/],
    ['nearly', 'v24.14.9', true, 78, /too old/],
  ]
  for (const [name, version, modules, code, message] of cases) {
    const [command, path] = checkout(name, version, modules)
    const result = run(command, ['start'], { PATH: path })
    assert.equal(result.code, code, `${name}: ${result.err}`)
    assert.match(result.err, message)
    assert.equal(result.err.split('\n').length, 2, result.err)
  }
})

test('a Node of the PATH that is new enough is used', () => {
  for (const version of ['v24.15.0', 'v24.21.0', 'v26.1.0']) {
    const [command, path] = checkout(version, version, true)
    const result = run(command, ['a b'], { PATH: path })
    assert.equal(result.code, 0, result.err)
    assert.match(result.out, /^ran .*cli\/main\.(?:ts|js) a b\n$|^ran .* a b\n$/)
  }
})

test('a mistake in the arguments is 64 and says so, and --help is no mistake', async () => {
  assert.equal(run(script, ['--help']).code, 0)
  const bogus = run(script, ['bogus'])
  assert.equal(bogus.code, 64)
  assert.notEqual(bogus.err, '')
  for (const args of [
    ['start', '--ports', 'x'],
    ['queue', 'priority', '--data', folder],
    ['send', '--to'],
  ]) {
    const { code, err } = await command(args)
    assert.equal(code, 64, args.join(' '))
    assert.notEqual(err, '')
  }
})

test('send means the server of the config that is named', () => {
  const config = join(folder, 'named.json')
  const data = join(folder, 'data of the config')
  writeFileSync(config, JSON.stringify({ hostname: 'mail.example.org', data }))
  const { code, err } = run(script, ['send', '--config', config, '--to', 'joe@example.org'])
  assert.equal(code, 75)
  assert.ok(err.includes(join(data, 'local.sock')), err)
})
