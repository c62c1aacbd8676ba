/**
 * Other people's programs: which package has them, whether they are here, and how one is run to its
 * end. `run.ts` installs; a test only asks `lacks`, so that it can also be run alone.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

interface Program {
  readonly package: string
  /** It cannot be installed beside another of ours: it is unpacked, with these libraries installed. */
  readonly unpacked?: readonly string[]
  /** Where it is when it is not on PATH; also for what is no program, such as test data. */
  readonly path?: string
}

/** Where packages are unpacked that cannot be installed. */
export const UNPACKED = join(tmpdir(), 'postrider-interop')

export const PROGRAMS = {
  swaks: { package: 'swaks' },
  msmtp: { package: 'msmtp' },
  curl: { package: 'curl' },
  openssl: { package: 'openssl' },
  gsasl: { package: 'gsasl' },
  krb5kdc: { package: 'krb5-kdc', path: '/usr/sbin/krb5kdc' },
  kdb5_util: { package: 'krb5-kdc', path: '/usr/sbin/kdb5_util' },
  'kadmin.local': { package: 'krb5-admin-server', path: '/usr/sbin/kadmin.local' },
  'python3-gssapi': {
    package: 'python3-gssapi',
    path: '/usr/lib/python3/dist-packages/gssapi/__init__.py',
  },
  'gss-ntlmssp': {
    package: 'gss-ntlmssp',
    path: '/usr/lib/x86_64-linux-gnu/gssntlmssp/gssntlmssp.so',
  },
  pgrep: { package: 'procps' },
  kinit: { package: 'krb5-user' },
  slapd: { package: 'slapd', path: '/usr/sbin/slapd' },
  ldapadd: { package: 'ldap-utils' },
  's-nail': { package: 's-nail' },
  python3: { package: 'python3' },
  fetchmail: { package: 'fetchmail' },
  getmail: { package: 'getmail6' },
  mpop: { package: 'mpop' },
  mbsync: { package: 'isync' },
  offlineimap: { package: 'offlineimap3' },
  mutt: { package: 'mutt' },
  mutt_dotlock: { package: 'mutt' },
  alpine: { package: 'alpine' },
  postfix: { package: 'postfix', path: '/usr/sbin/postfix' },
  exim4: {
    package: 'exim4-daemon-light',
    path: join(UNPACKED, 'usr/sbin/exim4'),
    unpacked: ['libidn12', 'libgnutls-dane0', 'libdb5.3', 'libnsl2'],
  },
  smtpd: {
    package: 'opensmtpd',
    path: join(UNPACKED, 'usr/sbin/smtpd'),
    unpacked: ['libdb5.3', 'libevent-2.1-7'],
  },
  'perl Mail::SRS': { package: 'libmail-srs-perl', path: '/usr/share/perl5/Mail/SRS.pm' },
  perl: { package: 'perl' },
  'perl Mail::IMAPClient': {
    package: 'libmail-imapclient-perl',
    path: '/usr/share/perl5/Mail/IMAPClient.pm',
  },
  'perl IO::Socket::SSL': {
    package: 'libio-socket-ssl-perl',
    path: '/usr/share/perl5/IO/Socket/SSL.pm',
  },
  'perl Authen::SASL': { package: 'libauthen-sasl-perl', path: '/usr/share/perl5/Authen/SASL.pm' },
  ruby: { package: 'ruby' },
  'ruby mail': { package: 'ruby-mail', path: '/usr/lib/ruby/vendor_ruby/mail.rb' },
  php: { package: 'php-cli' },
  'php imap': { package: 'php-imap', path: '/etc/php/8.2/mods-available/imap.ini' },
  'bsd-mailx': { package: 'bsd-mailx' },
  'git send-email': { package: 'git-email', path: '/usr/lib/git-core/git-send-email' },
  check_mailq: {
    package: 'monitoring-plugins-standard',
    path: '/usr/lib/nagios/plugins/check_mailq',
  },
  procmail: { package: 'procmail' },
  maildrop: { package: 'maildrop' },
  proxsmtpd: { package: 'proxsmtp', path: '/usr/sbin/proxsmtpd' },
  'nullmailer smtp': {
    package: 'nullmailer',
    path: join(UNPACKED, 'usr/lib/nullmailer/smtp'),
    unpacked: [],
  },
  ssmtp: { package: 'ssmtp', path: join(UNPACKED, 'usr/sbin/ssmtp'), unpacked: [] },
  esmtp: { package: 'esmtp', path: join(UNPACKED, 'usr/bin/esmtp'), unpacked: ['libesmtp6'] },
  interimap: { package: 'interimap' },
  nginx: { package: 'nginx-light', path: '/usr/sbin/nginx' },
  'nginx mail': {
    package: 'libnginx-mod-mail',
    path: '/usr/lib/nginx/modules/ngx_mail_module.so',
  },
  haproxy: { package: 'haproxy', path: '/usr/sbin/haproxy' },
  stunnel4: { package: 'stunnel4' },
  'perdition.imap4': { package: 'perdition', path: '/usr/sbin/perdition.imap4' },
  'perdition.pop3': { package: 'perdition', path: '/usr/sbin/perdition.pop3' },
  uux: { package: 'uucp' },
  rmail: { package: 'postfix', path: '/usr/sbin/rmail' },
  dovecot: { package: 'dovecot-core', path: '/usr/sbin/dovecot' },
  'dovecot pop3': { package: 'dovecot-pop3d', path: '/usr/lib/dovecot/pop3' },
  'dovecot lmtp': { package: 'dovecot-lmtpd', path: '/usr/lib/dovecot/lmtp' },
  'dovecot submission': { package: 'dovecot-submissiond', path: '/usr/lib/dovecot/submission' },
  'dovecot gssapi': {
    package: 'dovecot-gssapi',
    path: '/usr/lib/dovecot/modules/auth/libmech_gssapi.so',
  },
  saslpasswd2: { package: 'sasl2-bin', path: '/usr/sbin/saslpasswd2' },
  smtptest: { package: 'cyrus-clients', path: '/usr/lib/cyrus/bin/smtptest' },
  imtest: { package: 'cyrus-clients', path: '/usr/lib/cyrus/bin/imtest' },
  pop3test: { package: 'cyrus-clients', path: '/usr/lib/cyrus/bin/pop3test' },
  saslauthd: { package: 'sasl2-bin', path: '/usr/sbin/saslauthd' },
  useradd: { package: 'passwd' },
  'cyrus sasl': {
    package: 'libsasl2-modules',
    path: '/usr/lib/x86_64-linux-gnu/sasl2/libscram.so',
  },
  'cyrus gssapi': {
    package: 'libsasl2-modules-gssapi-mit',
    path: '/usr/lib/x86_64-linux-gnu/sasl2/libgssapiv2.so',
  },
  'smtp-source': { package: 'postfix', path: '/usr/sbin/smtp-source' },
  'smtp-sink': { package: 'postfix', path: '/usr/sbin/smtp-sink' },
  'python test_email': {
    package: 'libpython3.11-testsuite',
    path: '/usr/lib/python3.11/test/test_email/data',
  },
  'enmime testdata': {
    package: 'golang-github-jhillyerd-enmime-dev',
    path: '/usr/share/gocode/src/github.com/jhillyerd/enmime/testdata',
  },
} as const satisfies Record<string, Program>

export type ProgramName = keyof typeof PROGRAMS

/** Where a program is; undefined where it is not installed. */
export function find(name: ProgramName): string | undefined {
  const program: Program = PROGRAMS[name]
  if (program.path !== undefined && existsSync(program.path)) return program.path
  // A system's own Python can be read by other users; one in somebody's home may not.
  const folders = ['/usr/bin', '/usr/sbin', ...(process.env['PATH'] ?? '').split(delimiter)]
  return folders.map(folder => join(folder, name)).find(existsSync)
}

export function missing(): ProgramName[] {
  return (Object.keys(PROGRAMS) as ProgramName[]).filter(name => find(name) === undefined)
}

/** For `test(name, { skip: lacks('swaks') }, ...)`: false, or the reason. */
export function lacks(...names: readonly (ProgramName | 'root')[]): string | false {
  const absent = names.filter(name =>
    name === 'root' ? process.getuid?.() !== 0 : find(name) === undefined,
  )
  return absent.length > 0 ? `SKIPPED: ${absent.join(', ')} not here` : false
}

export interface RunOptions {
  readonly input?: string | Buffer
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Runs as the user of this number, and group. */
  readonly uid?: number
  readonly timeoutMs?: number
}

export interface Ran {
  readonly code: number
  readonly stdout: Buffer
  /** Both outputs as text, for assertions and messages. */
  readonly text: string
}

/** Runs a program to its end; one that takes too long is killed and has code 124. */
export function run(
  command: ProgramName | { readonly file: string },
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  const file = typeof command === 'string' ? find(command) : command.file
  if (file === undefined)
    throw new Error(`${typeof command === 'string' ? command : command.file} is not installed`)
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: 'pipe',
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    })
    const out: Buffer[] = []
    const all: Buffer[] = []
    let late = false
    child.stdout.on('data', (octets: Buffer) => out.push(octets) && all.push(octets))
    child.stderr.on('data', (octets: Buffer) => all.push(octets))
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, options.timeoutMs ?? 30_000)
    child.on('error', reject)
    child.on('close', code => {
      clearTimeout(timer)
      const text = Buffer.concat(all).toString('utf8')
      resolve({ code: late ? 124 : (code ?? 125), stdout: Buffer.concat(out), text })
    })
    // A program may end without reading its input.
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
  })
}

/** Waits until `probe` gives something, polling; throws with `what` after `timeoutMs`. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  timeoutMs = 20_000,
): Promise<T> {
  const end = Date.now() + timeoutMs
  for (;;) {
    const found = await probe()
    if (found !== undefined) return found
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}
