/** Commands that cannot do what they are told, where no server runs: what they say of it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { command } from '../kit/command.ts'

const folder = mkdtempSync(join(tmpdir(), 'postrider-absent-'))
after(() => rmSync(folder, { recursive: true }))

test('send says which server does not run', async () => {
  const message = ['--from', 'a@a.test', '--to', 'b@a.test', '--body', 'x']
  const { code, err } = await command(['send', ...message, '--data', folder])
  assert.equal(code, 75)
  assert.ok(err.startsWith(`the server of ${folder} does not run: start it`), err)
})

test('a file that is not there is named', async () => {
  const { code, err } = await command([
    'send',
    '--from',
    'a@a.test',
    '--to',
    'b@a.test',
    '--body',
    'x',
    '--attach',
    '/nofile',
  ])
  assert.deepEqual([code, err], [66, 'cannot read /nofile: no such file'])
})

test('a command that is called wrongly names its own help, and all errors of a config are counted', async () => {
  const wrong = await command(['account', 'add'])
  assert.equal(wrong.code, 64)
  assert.match(wrong.err, /^postrider: missing required argument 'address'/)
  assert.match(wrong.err, /\(postrider account add --help says more\)/)
  const config = join(folder, 'wrong.json')
  writeFileSync(config, '{"users": [], "undelete": {"keep": "x"}}')
  const { code, err } = await command(['check', '--config', config])
  assert.equal(code, 78)
  assert.match(
    err,
    /^the config has 2 errors:\n {2}undelete\.keep: .*\n {2}users: there is no such/,
  )
})

test('sendmail --help has a line for each flag that means something', async () => {
  const { out } = await command(['sendmail', '--help'])
  for (const flag of '-t -i -f -F -N -R -V -v -bs -bp -bi -bv -q'.split(' ')) {
    assert.match(out, new RegExp(`^  ${flag}[ ,]`, 'm'), flag)
  }
})
