/** Commands that cannot do what they are told, where no server runs: what they say of it. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openFolder } from '../../src/server/folder.ts'
import { settingsSchema } from '../../src/server/settings/settings.ts'
import { silent } from '../../src/world/log.ts'
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

test('a list of nothing says so', async () => {
  const data = join(folder, 'empty')
  mkdirSync(data)
  // A folder of nobody's is no empty queue, and nothing is put into it.
  for (const wrong of [data, '/dev/null']) {
    const { code, err } = await command(['queue', 'list', '--data', wrong])
    assert.equal(code, 66)
    assert.ok(err.startsWith(`there is no data in ${wrong}: name the right folder`), err)
  }
  assert.deepEqual(readdirSync(data), [])
  assert.equal((await command(['ban', 'add', '192.0.2.1', '--data', data])).code, 0)
  assert.equal((await command(['ban', 'lift', '192.0.2.1', '--data', data])).code, 0)
  for (const what of ['account', 'alias', 'domain', 'ban', 'nodes']) {
    const list = what === 'nodes' ? [what] : [what, 'list']
    const { code, out, err } = await command([...list, '--data', data])
    assert.deepEqual([code, err], [0, ''], what)
    assert.match(out, /^(?:there are no |nobody |no server )/, what)
  }
})

test('a backup that is not there is no input, and no folder is made for it', async () => {
  const data = join(folder, 'restored')
  for (const backup of [join(folder, 'no-backup'), '/dev/null']) {
    const { code, err } = await command(['restore', backup, '--data', data])
    assert.equal(code, 66, err)
    assert.ok(err.startsWith(`${backup} is no folder`), err)
  }
  assert.ok(!existsSync(data))
})

test('what has the name of the database and is no file is told, and not waited for', async () => {
  const data = join(folder, 'fifo')
  mkdirSync(data)
  execFileSync('mkfifo', [join(data, 'postrider.db')])
  const { code, err } = await command(['account', 'list', '--data', data])
  assert.equal(code, 74)
  assert.match(err, /postrider\.db is no file: move it away/)
})

test('check refuses the certificates that a start refuses', async () => {
  const config = join(folder, 'certificate.json')
  const missing = { certificate: 'no.pem', key: 'no.key' }
  writeFileSync(
    config,
    JSON.stringify({ data: 'none', tls: missing, outbound: { identity: missing } }),
  )
  const { code, err } = await command(['check', '--config', config])
  assert.equal(code, 78)
  assert.match(
    err,
    /^the config has 4 errors:\n {2}tls\.certificate: cannot use .*no\.pem: there is no such file/,
  )
})

test('a folder that a move was to come into is not taken for a new one, but by the next move', async () => {
  const [source, target] = [join(folder, 'source'), join(folder, 'target')]
  for (const path of [source, target]) mkdirSync(path)
  const begun = await openFolder(settingsSchema.parse({ data: target }), silent, {
    unfinished: true,
  })
  // Killed here: the database is there, empty, and does not yet say that it is half of a move.
  await begun?.close()
  const refused = await command(['check', '--data', target])
  assert.equal(refused.code, 74, refused.out)
  assert.match(refused.err, /is to take a move that was cut off: run migrate-store again/)
  assert.equal((await command(['domain', 'add', 'a.test', '--data', source])).code, 0)
  const moved = await command(['migrate-store', '--to', `sqlite:${target}`, '--data', source])
  assert.equal(moved.code, 0, moved.err)
  assert.match((await command(['domain', 'list', '--data', target])).out, /^a\.test /m)
})

test('a path that is empty names no folder, by flag or by config', async () => {
  for (const flag of ['--data', '--config']) {
    const { code, err } = await command(['status', flag, ''])
    assert.equal(code, 64)
    assert.match(err, /argument '' is invalid. It is empty./)
  }
  const config = join(folder, 'no-data.json')
  writeFileSync(
    config,
    '{"data": "", "__proto__": {"hostname": "x"}, "limits": {"messageSize": 1.5}}',
  )
  const { code, err } = await command(['check', '--config', config])
  assert.equal(code, 78)
  assert.match(err, /3 errors:.*data: must not be empty.*1\.5" is no size.*__proto__: there is no/s)
})

test('a listener is at an IP address', async () => {
  const config = join(folder, 'address.json')
  writeFileSync(config, '{"listeners": {"smtp": {"address": "mail.example.org"}}}')
  const { code, err } = await command(['check', '--config', config])
  assert.equal(code, 78)
  assert.match(err, /listeners\.smtp\.address: "mail\.example\.org" is no IP address/)
})
