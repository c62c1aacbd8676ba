/**
 * An OpenSMTPD of our own. Its folders and users are compiled in, so it runs in a mount namespace where
 * they are ours alone and gone with it; `run.ts` unpacks its package (`UNPACKED`). It takes everything
 * from loopback and sends it on by domain.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newFolder } from '../kit/server.ts'
import { UNPACKED, until } from './program.ts'
import { accepts, freePort } from './sink.ts'

const running = new Set<ChildProcess>()

export interface OpenSmtpd {
  readonly port: number
  /** What it said so far. */
  log(): string
}

/** Ends all of them; for `after`. */
export function endOpenSmtpds(): void {
  for (const child of running) child.kill('SIGTERM')
  running.clear()
}

/** Starts one that sends on each domain's mail to a port; '*' is every other. Needs root. */
export async function startOpenSmtpd(routes: Readonly<Record<string, number>>): Promise<OpenSmtpd> {
  const folder = newFolder('opensmtpd')
  const port = await freePort()
  const lines = [`listen on 127.0.0.1 port ${port} hostname opensmtpd.test`]
  for (const [at, [domain, to]] of Object.entries(routes).entries()) {
    const whom = domain === '*' ? '' : `domain "${domain}"`
    lines.push(`action "a${at}" relay host smtp://127.0.0.1:${to}`)
    lines.push(`match from any for ${domain === '*' ? 'any' : whom} action "a${at}"`)
  }
  writeFileSync(join(folder, 'smtpd.conf'), `${lines.join('\n')}\n`)
  writeFileSync(join(folder, 'start'), script(folder))
  const child = spawn('unshare', ['-m', 'sh', '-e', join(folder, 'start')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let log = ''
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding('utf8').on('data', (text: string) => (log += text))
  }
  await until('OpenSMTPD', () => accepts(port))
  return { port, log: () => log }
}

function script(folder: string): string {
  const user = (name: string, id: number) =>
    `echo '${name}:x:${id}:${id}::/var/lib/opensmtpd/empty:/bin/false' >> /run/passwd
echo '${name}:x:${id}:' >> /run/group`
  return `
for place in /var/spool /usr/libexec /var/lib /run; do mount -t tmpfs none $place; done
cp -r ${UNPACKED}/usr/libexec/opensmtpd /usr/libexec/
mkdir -p /var/lib/opensmtpd/empty
cp /etc/passwd /etc/group /run/
${user('opensmtpd', 901)}
${user('opensmtpq', 902)}
mount --bind /run/passwd /etc/passwd
mount --bind /run/group /etc/group
exec ${UNPACKED}/usr/sbin/smtpd -d -f ${folder}/smtpd.conf
`
}
