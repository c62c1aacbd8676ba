/**
 * Postfix from the distribution's package as a peer: an instance of its own under a temporary folder,
 * with default settings, delivering by virtual(8) to a Maildir and relaying to a fixed next hop.
 * Its master is a child of the bench; the machine's Postfix, if any, is not touched.
 */
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { accepts } from '../load.ts'
import { freePort, launch, run, until } from '../program.ts'
import { filesIn } from './maildir.ts'
import type { Peer } from './peer.ts'
import type { Sink } from './sink.ts'

const DOMAIN = 'bench.test'

/** @param more lines of main.cf */
export async function startPostfix(
  folder: string,
  sink: Sink,
  more: readonly string[] = [],
): Promise<Peer> {
  const at = (name: string) => join(folder, 'postfix', name)
  for (const name of ['etc', 'spool', 'data', 'mail']) mkdirSync(at(name), { recursive: true })
  for (const path of [folder, at('.')]) chmodSync(path, 0o755)
  const uid = Number(await run('id', ['-u', 'postfix']))
  const gid = Number(await run('id', ['-g', 'postfix']))
  for (const name of ['data', 'mail']) chownSync(at(name), uid, gid)
  const port = await freePort()
  const lines = [mainCf(folder, uid, gid, sink.port), ...more]
  writeFileSync(at('etc/main.cf'), `${lines.join('\n')}\n`)
  writeFileSync(at('etc/master.cf'), masterCf(port))
  // Makes the folders of the queue; then the master itself, in the foreground.
  await run('postfix', ['-c', at('etc'), 'check'])
  const program = launch('/usr/lib/postfix/sbin/master', ['-c', at('etc'), '-d'], at('master.out'))
  await until('Postfix', () => {
    if (program.child.exitCode !== null) throw new Error(`Postfix ended: ${program.output()}`)
    return accepts(port)
  })
  return {
    name: 'Postfix',
    pid: program.child.pid ?? 0,
    port,
    local: `joe@${DOMAIN}`,
    remote: 'joe@elsewhere.test',
    done: work =>
      work === 'accept'
        ? Number.POSITIVE_INFINITY
        : work === 'relay'
          ? sink.count()
          : filesIn(at('mail/joe/new')),
    stop: program.stop,
  }
}

function mainCf(folder: string, uid: number, gid: number, sinkPort: number): string {
  return `compatibility_level = 3.6
queue_directory = ${folder}/postfix/spool
data_directory = ${folder}/postfix/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = postfix.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:${sinkPort}
message_size_limit = 52428800
virtual_mailbox_domains = ${DOMAIN}
virtual_mailbox_base = ${folder}/postfix/mail
virtual_mailbox_maps = static:joe/
virtual_mailbox_limit = 0
virtual_minimum_uid = 1
virtual_uid_maps = static:${uid}
virtual_gid_maps = static:${gid}`
}

/** The package's master.cf without chroot, and without what this load does not use. */
function masterCf(port: number): string {
  return `127.0.0.1:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`
}
