/**
 * A Postfix of our own: its configuration, queue, certificate and Maildir in one new folder, its
 * smtpd on a free port, its recipients judged by a function of the test (smtpd_policy).
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { type AddressInfo, createServer, type Server as NetServer } from 'node:net'
import { join } from 'node:path'
import { selfMadeCertificate } from '../../src/world/node/demo-certificate.ts'
import { newFolder } from '../kit/server.ts'
import { until } from './program.ts'
import { accepts, freePort } from './sink.ts'

export interface PostfixOptions {
  /** Lines of main.cf beside ours. */
  readonly main?: Readonly<Record<string, string>>
  /** What Cyrus SASL is told: Debian's Postfix reads it beside main.cf. */
  readonly sasl?: string
  /** The answer for a recipient, such as `450 4.2.0 Greylisted`; undefined takes it. */
  readonly judge?: (
    recipient: string,
    attributes: ReadonlyMap<string, string>,
  ) => string | undefined
}

const POSTFIX = '/usr/sbin/postfix'
const running = new Set<Postfix>()

export class Postfix {
  readonly port: number
  readonly #folder: string
  readonly #policy: NetServer

  constructor(folder: string, port: number, policy: NetServer) {
    this.#folder = folder
    this.port = port
    this.#policy = policy
  }

  /** Every message delivered into the Maildir, line ends as CRLF. */
  messages(): string[] {
    const folder = join(this.#folder, 'mail/box/new')
    if (!existsSync(folder)) return []
    return readdirSync(folder).map(name =>
      readFileSync(join(folder, name), 'latin1').replace(/\n/g, '\r\n'),
    )
  }

  log(): string {
    return readFileSync(join(this.#folder, 'log'), 'utf8')
  }

  /** Tries again now what waits. */
  flush(): void {
    spawnSync('/usr/sbin/postqueue', ['-c', join(this.#folder, 'etc'), '-f'])
  }

  stop(): void {
    spawnSync(POSTFIX, ['-c', join(this.#folder, 'etc'), 'stop'], { stdio: 'ignore' })
    this.#policy.close()
    running.delete(this)
  }
}

/** Ends all of them; for `after`. */
export function endPostfixes(): void {
  for (const postfix of running) postfix.stop()
}

/** Starts one; needs root. */
export async function startPostfix(options: PostfixOptions = {}): Promise<Postfix> {
  const folder = newFolder('postfix')
  chmodSync(folder, 0o755)
  const at = (name: string) => join(folder, name)
  for (const name of ['etc', 'queue', 'data', 'mail']) mkdirSync(at(name))
  const id = (flag: string, user: string) =>
    Number(execFileSync('id', [flag, user], { encoding: 'utf8' }))
  chownSync(at('data'), id('-u', 'postfix'), id('-g', 'postfix'))
  const nobody = { uid: id('-u', 'nobody'), gid: id('-g', 'nobody') }
  chownSync(at('mail'), nobody.uid, nobody.gid)
  const certificate = await selfMade(at('etc'))
  const port = await freePort()
  const policy = await judging(options.judge ?? (() => undefined))
  const { port: policyPort } = policy.address() as AddressInfo
  const settings: Record<string, string> = {
    compatibility_level: '3.6',
    queue_directory: at('queue'),
    data_directory: at('data'),
    maillog_file: at('log'),
    maillog_file_prefixes: folder,
    myhostname: 'postfix.test',
    mydestination: '',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    mynetworks: '127.0.0.0/8',
    alias_maps: '',
    virtual_mailbox_domains: 'postfix.test, remote.test',
    virtual_mailbox_maps: 'static:box/',
    virtual_mailbox_base: at('mail'),
    virtual_uid_maps: `static:${nobody.uid}`,
    virtual_gid_maps: `static:${nobody.gid}`,
    smtpd_tls_chain_files: certificate,
    smtpd_tls_security_level: 'may',
    smtpd_recipient_restrictions: `check_policy_service inet:127.0.0.1:${policyPort}, permit_mynetworks, reject`,
    smtpd_error_sleep_time: '0',
    smtpd_peername_lookup: 'no',
    minimal_backoff_time: '1s',
    maximal_backoff_time: '2s',
    queue_run_delay: '1s',
    default_process_limit: '10',
    ...options.main,
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`)
  writeFileSync(at('etc/main.cf'), lines.join(''))
  mkdirSync(at('etc/sasl'))
  writeFileSync(at('etc/sasl/smtpd.conf'), options.sasl ?? '')
  const master = readFileSync('/usr/share/postfix/master.cf.dist', 'utf8')
    .replace(/^smtp +inet .*$/m, `127.0.0.1:${port} inet n - n - - smtpd`)
    // No chroot: its folder would have to be filled first.
    .replace(/^(\w\S*\s+(?:unix|inet|fifo)\s+\S+\s+\S+\s+)y/gm, '$1n')
  writeFileSync(at('etc/master.cf'), master)
  const { status, stderr } = spawnSync(POSTFIX, ['-c', at('etc'), 'start'], { encoding: 'utf8' })
  if (status !== 0)
    throw new Error(
      `postfix did not start: ${stderr}${existsSync(at('log')) ? readFileSync(at('log'), 'utf8') : ''}`,
    )
  await until('Postfix', () => accepts(port))
  const postfix = new Postfix(folder, port, policy)
  running.add(postfix)
  return postfix
}

/** A key and a certificate that nobody trusts, in one file. */
async function selfMade(folder: string): Promise<string> {
  const { cert, key } = await selfMadeCertificate(['postfix.test'])
  const file = join(folder, 'certificate.pem')
  writeFileSync(file, key + cert, { mode: 0o600 })
  return file
}

/** smtpd_policy: attributes by lines, an empty line, one action (Postfix SMTPD_POLICY_README). */
async function judging(judge: NonNullable<PostfixOptions['judge']>): Promise<NetServer> {
  const server = createServer(socket => {
    let text = ''
    socket.on('error', () => undefined)
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const attributes = new Map(
          text
            .slice(0, end)
            .split('\n')
            .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
        )
        text = text.slice(end + 2)
        const answer = judge(attributes.get('recipient') ?? '', attributes)
        socket.write(`action=${answer ?? 'dunno'}\n\n`)
      }
    })
  })
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  return server
}
