/**
 * Exim from the distribution's package as a peer, unpacked and in a namespace of its own: it delivers to a Maildir by
 * appendfile, relays to a fixed next hop, or only queues. What it limits by default to protect a small machine (20 connections,
 * ten deliveries at once for a connection, 1,000 messages a connection) is lifted; all else is its default. Its queue is
 * run every five seconds: what it could not begin at once, for want of processes, would lie until the bench gives it up.
 */
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { accepts } from '../load.ts'
import { freePort, until } from '../program.ts'
import { idOf, launchApart } from './apart.ts'
import type { CertificateFiles } from './certificate.ts'
import { filesIn } from './maildir.ts'
import { unpacked } from './package.ts'
import type { Peer } from './peer.ts'
import type { Sink } from './sink.ts'

const LIBRARIES = 'libidn12 libgnutls-dane0 libdb5.3 libnsl2'

export const findExim = (): Promise<string | undefined> => unpacked('exim4-daemon-light', LIBRARIES)

export interface EximOptions {
  readonly sink: Sink
  readonly certificate: CertificateFiles
  /** It keeps what it has taken. */
  readonly hold?: boolean
}

export async function startExim(
  root: string,
  program: string,
  { sink, certificate, hold = false }: EximOptions,
): Promise<Peer> {
  const folder = join(root, 'exim')
  const at = (name: string) => join(folder, name)
  for (const name of ['spool', 'log', 'mail']) {
    mkdirSync(at(name), { recursive: true })
    chownSync(at(name), idOf(0), idOf(0))
  }
  // It reads the key when it is no longer root.
  const key = at('key.pem')
  const binary = join(program, 'usr/sbin/exim4')
  const port = await freePort()
  const lines = [
    `exim_path = ${binary}`,
    `daemon_smtp_ports = ${port}`,
    `tls_certificate = ${certificate.certificate}`,
    `tls_privatekey = ${key}`,
    `queue_only = ${hold}`,
  ]
  writeFileSync(at('conf'), configuration(folder, sink.port, lines))
  const server = launchApart({
    ...{ folder, users: ['Debian-exim'], home: at('spool') },
    layout: [`cp ${certificate.key} ${key}`, `chown Debian-exim ${key}`],
    command: [binary, '-C', at('conf'), '-bdf', '-q5s'],
  })
  chmodSync(folder, 0o755)
  await until('Exim', () => {
    if (server.child.exitCode !== null) throw new Error(`Exim ended: ${server.output()}`)
    return accepts(port)
  })
  return {
    ...{ name: 'Exim', pid: server.child.pid ?? 0, port },
    ...{ local: 'joe@bench.test', remote: 'joe@elsewhere.test' },
    done: work =>
      work === 'accept'
        ? Number.POSITIVE_INFINITY
        : work === 'relay'
          ? sink.count()
          : filesIn(at('mail/new')),
    stop: server.stop,
  }
}

function configuration(folder: string, sinkPort: number, lines: readonly string[]): string {
  return `primary_hostname = exim.test
keep_environment =
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
pid_file_path = ${folder}/spool/pid
local_interfaces = 127.0.0.1
message_size_limit = 100M
smtp_accept_max = 2000
smtp_connect_backlog = 1024
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
tls_advertise_hosts = *
acl_smtp_rcpt = accept
acl_smtp_data = accept
${lines.join('\n')}
begin routers
here:
  driver = accept
  domains = bench.test
  transport = maildir
elsewhere:
  driver = manualroute
  route_list = * 127.0.0.1::${sinkPort}
  transport = remote
  self = send
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = ${folder}/mail
  user = Debian-exim
remote:
  driver = smtp
  hosts_try_fastopen =
  hosts_avoid_tls = *
begin retry
* * F,1h,1m
`
}
