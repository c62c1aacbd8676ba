/**
 * A Dovecot of our own, for its LMTP: configuration, run folder and Maildirs in one new folder; by a port
 * of the loopback and by a Unix socket. `bob` has a mailbox, `full` one that is full, nobody else has any.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { newFolder } from '../kit/server.ts'
import { find, until } from './program.ts'
import { accepts, freePort } from './sink.ts'

const NOBODY = 65_534
const running = new Set<ChildProcess>()

export class Dovecot {
  readonly port: number
  readonly socket: string
  readonly #folder: string

  constructor(folder: string, port: number) {
    this.#folder = folder
    this.port = port
    this.socket = join(folder, 'lmtp.sock')
  }

  /** What lies in bob's Maildir, line ends as CRLF. */
  messages(): string[] {
    const folder = join(this.#folder, 'mail/bob/new')
    if (!existsSync(folder)) return []
    return readdirSync(folder).map(name =>
      readFileSync(join(folder, name), 'latin1').replace(/\r?\n/g, '\r\n'),
    )
  }
}

/** Ends all of them; for `after`. */
export function endDovecots(): void {
  for (const child of running) child.kill('SIGTERM')
  running.clear()
}

/** Starts one; needs root. */
export async function startDovecot(): Promise<Dovecot> {
  const folder = newFolder('dovecot')
  chmodSync(folder, 0o755)
  mkdirSync(join(folder, 'mail'))
  chownSync(join(folder, 'mail'), NOBODY, NOBODY)
  const port = await freePort()
  const users = ['bob:::::::', 'full:::::::userdb_quota_rule=*:bytes=1']
  writeFileSync(join(folder, 'users'), `${users.join('\n')}\n`)
  writeFileSync(join(folder, 'dovecot.conf'), configuration(folder, port))
  const child = spawn(find('dovecot') as string, ['-F', '-c', join(folder, 'dovecot.conf')], {
    stdio: 'ignore',
  })
  running.add(child)
  await until('Dovecot', () => accepts(port))
  return new Dovecot(folder, port)
}

function configuration(folder: string, port: number): string {
  return `
base_dir = ${folder}/run
state_dir = ${folder}/run
instance_name = postrider-interop
log_path = ${folder}/log
protocols = lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:${folder}/mail/%n
auth_username_format = %n
mail_plugins = quota
recipient_delimiter = +
lmtp_save_to_detail_mailbox = no
plugin {
  quota = maildir:User quota
}
userdb {
  driver = passwd-file
  args = username_format=%n ${folder}/users
  default_fields = uid=${NOBODY} gid=${NOBODY} home=${folder}/mail/%n
}
passdb {
  driver = passwd-file
  args = username_format=%n ${folder}/users
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${port}
  }
  unix_listener ${folder}/lmtp.sock {
    mode = 0666
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
`
}
