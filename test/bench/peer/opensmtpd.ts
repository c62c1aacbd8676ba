/**
 * OpenSMTPD from the distribution's package as a peer, unpacked. Its folders and users are compiled in, so it has a namespace of its own where
 * they are ours; its spool lies on the bench's disk. The limit of 100 messages a session is lifted; all else is its default. Debian 12's
 * cannot sign a handshake (OpenSSL 3: "EVP lib", with RSA as with ECDSA), and so fails where TLS is measured.
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

export const findOpenSmtpd = (): Promise<string | undefined> =>
  unpacked('opensmtpd', 'libdb5.3 libevent-2.1-7')

export interface OpenSmtpdOptions {
  readonly sink: Sink
  readonly certificate: CertificateFiles
}

/** Which of its users has the mailbox. */
const JOE = 2

export async function startOpenSmtpd(
  root: string,
  program: string,
  { sink, certificate }: OpenSmtpdOptions,
): Promise<Peer> {
  const folder = join(root, 'opensmtpd')
  const at = (name: string) => join(folder, name)
  for (const name of ['spool', 'mail']) mkdirSync(at(name), { recursive: true })
  chownSync(at('mail'), idOf(JOE), idOf(JOE))
  const port = await freePort()
  const conf = `pki bench cert "${certificate.certificate}"
pki bench key "${certificate.key}"
smtp max-message-size "100M"
smtp limit max-mails 1000000
smtp limit max-rcpt 1000000
listen on 127.0.0.1 port ${port} hostname opensmtpd.test tls pki bench
action "here" maildir "${at('mail')}"
action "away" relay host smtp://127.0.0.1:${sink.port}
match from any for domain "bench.test" action "here"
match from any for any action "away"
`
  writeFileSync(at('smtpd.conf'), conf)
  const server = launchApart({
    ...{ folder, users: ['opensmtpd', 'opensmtpq', 'joe'], home: at('mail') },
    layout: [
      // It looks through all descriptors that it might have at each connection: a million where there is no limit.
      'ulimit -n 8192',
      'for place in /usr/libexec /var/lib /run; do mount -t tmpfs none $place; done',
      `mount --bind ${at('spool')} /var/spool`,
      `cp -r ${program}/usr/libexec/opensmtpd /usr/libexec/`,
      'mkdir -p /var/lib/opensmtpd/empty',
    ],
    command: [`${program}/usr/sbin/smtpd`, '-d', '-f', at('smtpd.conf')],
  })
  chmodSync(folder, 0o755)
  await until('OpenSMTPD', () => {
    if (server.child.exitCode !== null) throw new Error(`OpenSMTPD ended: ${server.output()}`)
    return accepts(port)
  })
  return {
    ...{ name: 'OpenSMTPD', pid: server.child.pid ?? 0, port },
    ...{ local: 'joe@bench.test', remote: 'joe@elsewhere.test' },
    done: work => (work === 'relay' ? sink.count() : filesIn(at('mail/new'))),
    stop: server.stop,
  }
}
