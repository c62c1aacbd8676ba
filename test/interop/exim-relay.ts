/**
 * An Exim that sends on: configuration, spool and log in one new folder, its daemon on a free port. It
 * takes everything from loopback and carries it, domain by domain, to the ports it is told; mail for
 * exim.test it keeps.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newFolder } from '../kit/server.ts'
import { find, until } from './program.ts'
import { accepts, freePort } from './sink.ts'

export interface EximRelayOptions {
  /** Where the mail of a domain goes. */
  readonly routes: Readonly<
    Record<string, { readonly port: number; readonly protocol?: 'smtp' | 'lmtp' }>
  >
  /** Lines of the main section. */
  readonly main?: readonly string[]
}

const NOBODY = 65_534
const running = new Set<ChildProcess>()

export class EximRelay {
  readonly port: number
  readonly #folder: string

  constructor(folder: string, port: number) {
    this.#folder = folder
    this.port = port
  }

  log(): string {
    return this.#read('main.log')
  }

  /** What was delivered to exim.test, as an mbox. */
  mailbox(): string {
    return this.#read('mail/box')
  }

  #read(name: string): string {
    const file = join(this.#folder, name)
    return existsSync(file) ? readFileSync(file, 'latin1') : ''
  }
}

/** Ends all of them; for `after`. */
export function endEximRelays(): void {
  for (const child of running) child.kill('SIGTERM')
  running.clear()
}

/** Starts one; needs root. */
export async function startEximRelay({ routes, main = [] }: EximRelayOptions): Promise<EximRelay> {
  const folder = newFolder('exim')
  chmodSync(folder, 0o755)
  const at = (name: string) => join(folder, name)
  for (const name of ['spool', 'mail']) {
    mkdirSync(at(name))
    chownSync(at(name), NOBODY, NOBODY)
  }
  chownSync(folder, NOBODY, NOBODY)
  const port = await freePort()
  const exim = find('exim4') as string
  writeFileSync(at('exim.conf'), configuration(folder, port, exim, routes, main), { mode: 0o644 })
  const child = spawn(exim, ['-C', at('exim.conf'), '-bdf', '-q1s'], {
    stdio: 'ignore',
  })
  running.add(child)
  await until('Exim', () => accepts(port))
  return new EximRelay(folder, port)
}

function configuration(
  folder: string,
  port: number,
  exim: string,
  routes: EximRelayOptions['routes'],
  main: readonly string[],
): string {
  const routers = Object.entries(routes).map(
    ([domain, { port: to, protocol = 'smtp' }], i) => `
r${i}:
  driver = manualroute
  domains = ${domain}
  route_list = * 127.0.0.1::${to} byname
  self = send
  transport = ${protocol}
`,
  )
  return `
primary_hostname = exim.test
exim_user = nobody
exim_group = nogroup
exim_path = ${exim}
spool_directory = ${folder}/spool
log_file_path = ${folder}/%s.log
pid_file_path = ${folder}/spool/pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
acl_smtp_rcpt = accept
acl_smtp_data = accept
never_users =
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
tls_advertise_hosts =
recipients_max = 0
keep_environment =
host_lookup =
retry_interval_max = 2s
${main.join('\n')}

begin routers
here:
  driver = accept
  domains = exim.test
  transport = box
${routers.join('')}
begin transports
box:
  driver = appendfile
  file = ${folder}/mail/box
  user = nobody
  group = nogroup
  envelope_to_add
  return_path_add
smtp:
  driver = smtp
  hosts_try_fastopen =
  tls_verify_hosts =
  tls_try_verify_hosts =
lmtp:
  driver = smtp
  protocol = lmtp
  port = 24
  hosts_try_fastopen =
  tls_verify_hosts =
  tls_try_verify_hosts =

begin retry
* * F,1h,1s
`
}
