/**
 * Dovecot as a peer for reading: the distribution's package with a configuration of its own in one folder,
 * IMAP, POP3 and LMTP by ports of the loopback, one user with a Maildir. Needs root.
 */
import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { accepts } from '../load.ts'
import { freePort, launch, run, until } from '../program.ts'
import type { ReadPeer } from './read-peer.ts'

const NOBODY = 65_534

/** Whether it is here with all that is read by; installs it where it may. */
export async function hasDovecot(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false
  const there = () => PARTS.every(part => existsSync(`/usr/lib/dovecot/${part}`))
  if (there()) return true
  const install = 'DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends'
  const packages = 'dovecot-imapd dovecot-pop3d dovecot-lmtpd'
  await run('sh', ['-c', `${install} ${packages}`]).catch(() => {})
  return there()
}

const PARTS = ['imap', 'pop3', 'lmtp']

export async function startDovecot(root: string): Promise<ReadPeer> {
  const folder = join(root, 'dovecot')
  mkdirSync(join(folder, 'mail'), { recursive: true })
  chmodSync(folder, 0o755)
  chownSync(join(folder, 'mail'), NOBODY, NOBODY)
  const ports = { imap: await freePort(), pop3: await freePort(), lmtp: await freePort() }
  writeFileSync(join(folder, 'users'), 'reader:{PLAIN}secret::::::\n')
  writeFileSync(join(folder, 'dovecot.conf'), configuration(folder, ports))
  const program = launch(
    'dovecot',
    ['-F', '-c', join(folder, 'dovecot.conf')],
    join(folder, 'output'),
  )
  await until('Dovecot', () => accepts(ports.lmtp))
  const version = (await run('dovecot', ['--version'])).trim()
  return {
    name: `Dovecot ${version}`,
    pid: program.child.pid ?? 0,
    ports,
    recipient: 'reader',
    username: 'reader',
    password: 'secret',
    stop: program.stop,
  }
}

function configuration(folder: string, ports: ReadPeer['ports']): string {
  return `
base_dir = ${folder}/run
state_dir = ${folder}/run
instance_name = postrider-bench
log_path = ${folder}/log
protocols = imap pop3 lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:${folder}/mail/%n
auth_username_format = %n
default_login_user = nobody
default_internal_user = nobody
default_internal_group = nogroup
userdb {
  driver = passwd-file
  args = username_format=%n ${folder}/users
  default_fields = uid=${NOBODY} gid=${NOBODY} home=${folder}/mail/%n
}
passdb {
  driver = passwd-file
  args = username_format=%n ${folder}/users
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${ports.imap}
  }
  inet_listener imaps {
    port = 0
  }
}
service pop3-login {
  chroot =
  inet_listener pop3 {
    port = ${ports.pop3}
  }
  inet_listener pop3s {
    port = 0
  }
}
service lmtp {
  inet_listener lmtp {
    port = ${ports.lmtp}
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
`
}
