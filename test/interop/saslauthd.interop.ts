/** PAM by a real saslauthd: a user of this system logs in with the password of /etc/shadow. Needs root. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { find, lacks, run, until } from './program.ts'

const skip = lacks('saslauthd', 'useradd', 'curl', 'root')
const USER = 'postrider-pam'
const PASSWORD = 'p\'ä;$(x) \\"%s'
const SERVICE = '/etc/pam.d/postrider-interop'

let daemon: ChildProcess | undefined
let server: Server

before(async () => {
  if (skip !== false) return
  const folder = newFolder('saslauthd')
  chmodSync(folder, 0o755)
  writeFileSync(SERVICE, 'auth required pam_unix.so nodelay\naccount required pam_unix.so\n')
  await run('useradd', ['--no-create-home', '--shell', '/usr/sbin/nologin', USER])
  const changed = await run({ file: '/usr/sbin/chpasswd' }, [], { input: `${USER}:${PASSWORD}\n` })
  assert.equal(changed.code, 0, changed.text)
  daemon = spawn(find('saslauthd') as string, ['-d', '-a', 'pam', '-n', '2', '-m', folder], {
    stdio: 'ignore',
    detached: true,
  })
  const path = join(folder, 'mux')
  await until('saslauthd', () => (existsSync(path) ? true : undefined))
  const config = join(folder, 'postrider.json')
  const saslauthd = { path, service: 'postrider-interop', domains: ['demo.test'] }
  writeFileSync(config, JSON.stringify({ auth: { saslauthd } }))
  server = await startServer({ config })
})
after(async () => {
  // With the processes that it has started.
  if (daemon?.pid !== undefined) process.kill(-daemon.pid, 'SIGTERM')
  if (skip === false) {
    await run({ file: '/usr/sbin/userdel' }, [USER])
    rmSync(SERVICE, { force: true })
  }
  clear()
})

test('a user of the system is let in by PAM, and nobody else', { skip }, async () => {
  const go = async (name: string, password: string) => {
    const url = `imap://127.0.0.1:${server.port('imap')}`
    const args = [
      '-sS',
      '-k',
      '--ssl-reqd',
      '--login-options',
      'AUTH=PLAIN',
      '-u',
      `${name}:${password}`,
    ]
    return (await run('curl', [...args, url])).code
  }
  assert.equal(await go(`${USER}@demo.test`, PASSWORD), 0)
  assert.equal(await go(`${USER}@demo.test`, 'wrong'), 67)
  assert.equal(await go(`${USER}@other.test`, PASSWORD), 67)
  assert.equal(await go("x';--@demo.test", PASSWORD), 67)
  assert.equal(server.log.join('\n').includes(PASSWORD), false)
})
