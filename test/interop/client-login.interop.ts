/**
 * Our client's side of the mechanisms against Dovecot: each one alone, and the strongest of all that it offers,
 * over POP3. Dovecot holds passwords in the clear here, so that it can speak them all.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fetchAll } from '../../src/access/pop3-fetch.ts'
import { silent } from '../../src/world/log.ts'
import { nodeClock, nodeDns, nodeNet, nodeRandom, nodeStretch } from '../../src/world/node/index.ts'
import type { World } from '../../src/world/world.ts'
import { clear, newFolder } from '../kit/server.ts'
import { find, lacks, until } from './program.ts'
import { accepts, freePort } from './sink.ts'

const NOBODY = 65_534
const skip = lacks('dovecot', 'dovecot pop3')
const mechanisms = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'DIGEST-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256']

let dovecot: ChildProcess | undefined
let port = 0

before(async () => {
  if (skip !== false) return
  const folder = newFolder('client-login')
  chmodSync(folder, 0o755)
  for (const path of ['mail', 'mail/new', 'mail/cur', 'mail/tmp']) {
    mkdirSync(join(folder, path))
    chownSync(join(folder, path), NOBODY, NOBODY)
  }
  port = await freePort()
  writeFileSync(
    join(folder, 'users'),
    'dan@demo.test:{PLAIN}pässword::::::\neve@demo.test:{PLAIN}password::::::\n',
  )
  writeFileSync(join(folder, 'mail/new/1'), 'Subject: hello\n\nx\n')
  writeFileSync(join(folder, 'dovecot.conf'), configuration(folder))
  dovecot = spawn(find('dovecot') as string, ['-F', '-c', join(folder, 'dovecot.conf')], {
    stdio: 'ignore',
  })
  await until('Dovecot', () => accepts(port))
})
after(() => {
  dovecot?.kill('SIGTERM')
  clear()
})

function configuration(folder: string): string {
  return `
base_dir = ${folder}/run
state_dir = ${folder}/run
instance_name = postrider-client-login
log_path = ${folder}/log
protocols = pop3
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = ${mechanisms.join(' ').toLowerCase()}
auth_failure_delay = 0
first_valid_uid = 1
mail_location = maildir:${folder}/mail
service pop3-login {
  chroot =
  inet_listener pop3 {
    address = 127.0.0.1
    port = ${port}
  }
}
service anvil {
  chroot =
  # Wrong passwords are meant, and cost the next client no seconds.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
userdb {
  driver = static
  args = uid=${NOBODY} gid=${NOBODY} home=${folder}/mail
}
passdb {
  driver = passwd-file
  args = ${folder}/users
}
`
}

function fetched(only: readonly string[] | undefined, password: string, name = 'dan') {
  const world = {
    ...{ clock: nodeClock, random: nodeRandom, net: nodeNet, dns: nodeDns(), log: silent },
    stretch: nodeStretch,
  } as unknown as World
  const login = { username: `${name}@demo.test`, password }
  return fetchAll(world, {
    ...{ address: '127.0.0.1', port, tls: 'never', remove: false, timeoutMs: 10_000, mechanisms },
    credentials: { ...login, ...(only && { mechanisms: only }) },
  })
}

for (const mechanism of mechanisms)
  test(`our client logs in to Dovecot by ${mechanism}, and not by a wrong password`, {
    skip,
  }, async () => {
    // Dovecot hashes for DIGEST-MD5 in UTF-8 what RFC 2831 wants in ISO 8859-1: in ASCII they are one.
    const [name, password] = mechanism === 'DIGEST-MD5' ? ['eve', 'password'] : ['dan', 'pässword']
    const [message] = await fetched([mechanism], password, name)
    assert.match(Buffer.from(message?.octets ?? []).toString(), /^Subject: hello\r\n/)
    await assert.rejects(fetched([mechanism], 'wrong', name))
  })

test('of all it takes the strongest', { skip }, async () => {
  assert.equal((await fetched(undefined, 'pässword')).length, 1)
  await assert.rejects(fetched(['SCRAM-SHA-512'], 'pässword'))
})
