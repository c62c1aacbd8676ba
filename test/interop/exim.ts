/**
 * An Exim that keeps mail until it is asked by ETRN. Its package cannot be installed beside Postfix's, so
 * run.ts unpacks it (`UNPACKED`): configuration, queue and log are in one new folder.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newFolder } from '../kit/server.ts'
import { find, until } from './program.ts'
import { accepts, freePort } from './sink.ts'

/** The user its package makes; it will not run without. */
export const EXIM_USER = 'Debian-exim'

export interface Exim {
  readonly port: number
  log(): string
}

const running = new Set<ChildProcess>()

/** Ends all of them; for `after`. */
export function endExims(): void {
  for (const child of running) child.kill('SIGKILL')
}

/** Starts one by its ACLs, routers and so on, behind what all of them have. Needs root. */
async function start(settings: string): Promise<Exim> {
  const program = find('exim4') as string
  const folder = newFolder('exim')
  const port = await freePort()
  const at = (name: string) => join(folder, name)
  for (const name of ['spool', 'log']) mkdirSync(at(name))
  chmodSync(folder, 0o755)
  spawnSync('chown', ['-R', EXIM_USER, folder])
  writeFileSync(
    at('conf'),
    `primary_hostname = exim.test
exim_path = ${program}
keep_environment =
spool_directory = ${at('spool')}
log_file_path = ${at('log')}/%slog
pid_file_path = ${at('spool')}/pid
daemon_smtp_ports = ${port}
local_interfaces = 127.0.0.1
tls_advertise_hosts =
acl_smtp_data = accept
${settings}`,
  )
  const child: ChildProcess = spawn(program, ['-C', at('conf'), '-bdf'], { stdio: 'ignore' })
  running.add(child)
  await until('Exim', () => accepts(port))
  return {
    port,
    log: () => (existsSync(at('log/mainlog')) ? readFileSync(at('log/mainlog'), 'utf8') : ''),
  }
}

/** One that keeps mail for a domain, and on ETRN sends it to a port of the loopback. */
export function startExim(domain: string, toPort: number): Promise<Exim> {
  return start(`acl_smtp_rcpt = accept
acl_smtp_etrn = accept
queue_domains = ${domain}
begin routers
kept:
  driver = manualroute
  route_list = ${domain} 127.0.0.1::${toPort}
  transport = remote
  self = send
begin transports
remote:
  driver = smtp
begin retry
* * F,1h,1m
`)
}

/**
 * One that makes it hard: `bad` is refused, `grey` told to come back, `leave` ends the session once by 421, `slow` is
 * answered after some seconds. All others it takes, and lets what it has taken vanish.
 */
export function startHardExim(): Promise<Exim> {
  const folder = newFolder('exim-hard')
  chmodSync(folder, 0o777)
  const once = (name: string) =>
    `condition = \${if !exists{${join(folder, name)}}}
  condition = \${run{/usr/bin/touch ${join(folder, name)}}{yes}{yes}}`
  return start(`acl_smtp_rcpt = hard
begin acl
hard:
  deny local_parts = bad
  message = 550 5.1.1 no such user
  defer local_parts = grey
  ${once('grey')}
  message = 451 4.7.1 greylisted, come back later
  defer local_parts = leave
  ${once('leave')}
  message = 421 4.3.2 not now
  accept local_parts = slow
  delay = 3s
  accept
begin routers
gone:
  driver = redirect
  data = :blackhole:
`)
}

/** One that takes mail for anywhere from who has logged in, and lets it vanish. */
export function startEximHop(login: {
  readonly username: string
  readonly password: string
}): Promise<Exim> {
  const { username, password } = login
  return start(`acl_smtp_rcpt = hop
begin acl
hop:
  accept authenticated = *
  deny message = log in first
begin routers
gone:
  driver = redirect
  data = :blackhole:
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{$auth2}{${username}}}{eq{$auth3}{${password}}}}}
  server_set_id = $auth2
`)
}
