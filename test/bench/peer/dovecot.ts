/**
 * Dovecot as a peer for reading: the distribution's package with a configuration of its own in one folder,
 * IMAP, POP3 and LMTP by ports of the loopback, a Maildir for each user. Needs root. The limit of ten connections
 * for a user from one address is lifted, and those of how many may be served at once.
 */
import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { accepts } from '../load.ts'
import { freePort, launch, run, until } from '../program.ts'
import type { CertificateFiles } from './certificate.ts'
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

export interface DovecotOptions {
  readonly certificate?: CertificateFiles
  /** The names of its users. */
  readonly users?: readonly string[]
  /** How their password is kept, as Dovecot writes it. */
  readonly password?: string
}

export async function startDovecot(
  root: string,
  { certificate, users = ['reader'], password = '{PLAIN}secret' }: DovecotOptions = {},
): Promise<ReadPeer> {
  const folder = join(root, 'dovecot')
  mkdirSync(join(folder, 'mail'), { recursive: true })
  chmodSync(folder, 0o755)
  chownSync(join(folder, 'mail'), NOBODY, NOBODY)
  const ports = {
    ...{ imap: await freePort(), pop3: await freePort(), lmtp: await freePort() },
    ...(certificate ? { imaps: await freePort() } : {}),
  }
  const entries = users.map(name => `${name}:${password}::::::\n`)
  writeFileSync(join(folder, 'users'), entries.join(''))
  writeFileSync(join(folder, 'dovecot.conf'), configuration(folder, ports, certificate))
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
    recipient: users[0] ?? '',
    username: users[0] ?? '',
    password: 'secret',
    stop: program.stop,
  }
}

function configuration(
  folder: string,
  ports: ReadPeer['ports'],
  certificate: CertificateFiles | undefined,
): string {
  const tls = certificate
    ? `ssl = yes\nssl_cert = <${certificate.certificate}\nssl_key = <${certificate.key}`
    : 'ssl = no'
  return `
base_dir = ${folder}/run
state_dir = ${folder}/run
instance_name = postrider-bench
log_path = ${folder}/log
protocols = imap pop3 lmtp
listen = 127.0.0.1
${tls}
mail_max_userip_connections = 0
default_client_limit = 8000
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
    port = ${ports.imaps ?? 0}
    ssl = yes
  }
  process_limit = 2000
}
service imap {
  process_limit = 2000
}
service pop3 {
  process_limit = 2000
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
