/**
 * Our client's side of the mechanisms at other people's submission servers: Postfix with Cyrus SASL, and Dovecot.
 * Each mechanism alone, and by a wrong password; and with a ticket of MIT's KDC.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { clear, newFolder } from '../kit/server.ts'
import { Sink } from '../kit/sink.ts'
import { type Kdc, startKdc } from './kdc.ts'
import { loginAt } from './login-at.ts'
import { endPostfixes, type Postfix, startPostfix } from './postfix.ts'
import { find, lacks, run, until } from './program.ts'
import { accepts, freePort } from './sink.ts'

const HOST = 'localhost'
const KDC_PORT = 22_088 + (process.pid % 1000)
const NOBODY = 65_534
const folder = newFolder('submission-login')
const at = (name: string) => join(folder, name)
const ticketSkip = lacks(
  'krb5kdc',
  'kadmin.local',
  'kinit',
  'cyrus gssapi',
  'dovecot gssapi',
  'root',
)
const cyrusSkip = lacks('postfix', 'saslpasswd2', 'cyrus sasl', 'root')
const dovecotSkip = lacks('dovecot', 'dovecot submission', 'openssl', 'root')

const CYRUS = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'DIGEST-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256']
const DOVECOT = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'DIGEST-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256']

let kdc: Kdc | undefined
let postfix: Postfix
let dovecot: ChildProcess | undefined
let dovecotPort = 0
/** Where Dovecot relays to: without it a 421 comes right behind the login. */
let relay: Sink

before(async () => {
  chmodSync(folder, 0o755)
  relay = await Sink.open()
  if (ticketSkip === false) {
    kdc = await startKdc(at('kdc'), KDC_PORT, HOST, { dan: 'danpw' })
    // Helper processes and servers of this test find the realm there.
    Object.assign(process.env, kdc.env)
    // Others read it, too.
    for (const file of ['kdc', 'kdc/keytab', 'kdc/krb5.conf']) chmodSync(at(file), 0o755)
  }
  if (cyrusSkip === false) await startCyrus()
  if (dovecotSkip === false) await startDovecot()
})
after(() => {
  dovecot?.kill('SIGTERM')
  relay.close()
  endPostfixes()
  kdc?.stop()
  clear()
})

/** Passwords lie in a sasldb, in the clear, so that every mechanism can be spoken. */
async function startCyrus(): Promise<void> {
  const db = at('sasldb2')
  const made = await run('saslpasswd2', ['-p', '-c', '-f', db, '-u', HOST, 'dan'], {
    input: 'pässword',
  })
  assert.equal(made.code, 0, made.text)
  chmodSync(db, 0o644)
  const tickets = kdc === undefined ? '' : `keytab: ${kdc.keytab}\n`
  const mechanisms = [...CYRUS, ...(kdc === undefined ? [] : ['GSSAPI', 'GSS-SPNEGO'])]
  postfix = await startPostfix({
    sasl: `pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: ${db}\nmech_list: ${mechanisms.join(' ')}\n${tickets}`,
    main: {
      myhostname: HOST,
      smtpd_sasl_auth_enable: 'yes',
      smtpd_sasl_path: 'smtpd',
      smtpd_sasl_local_domain: HOST,
      smtpd_sasl_security_options: 'noanonymous',
      import_environment: `MAIL_CONFIG KRB5_CONFIG KRB5_KTNAME=${kdc?.keytab ?? ''}`,
    },
  })
}

async function startDovecot(): Promise<void> {
  mkdirSync(at('mail'))
  chownSync(at('mail'), NOBODY, NOBODY)
  dovecotPort = await freePort()
  writeFileSync(at('users'), 'dan@demo.test:{PLAIN}password::::::\n')
  const made = await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-subj', `/CN=${HOST}`, '-days', '2', '-keyout', at('key'), '-out', at('crt')],
  ])
  assert.equal(made.code, 0, made.text)
  writeFileSync(at('dovecot.conf'), dovecotConfiguration())
  dovecot = spawn(find('dovecot') as string, ['-F', '-c', at('dovecot.conf')], { stdio: 'ignore' })
  await until('Dovecot', () => accepts(dovecotPort))
}

function dovecotConfiguration(): string {
  const tickets =
    kdc === undefined
      ? ''
      : `auth_krb5_keytab = ${kdc.keytab}\nauth_gssapi_hostname = "$ALL"\nimport_environment = TZ KRB5_CONFIG=${kdc.env['KRB5_CONFIG']}\n`
  const mechanisms = [...DOVECOT, ...(kdc === undefined ? [] : ['gssapi', 'gss-spnego'])]
  return `
base_dir = ${folder}/run
state_dir = ${folder}/run
instance_name = postrider-submission-login
log_path = ${folder}/log
protocols = submission
listen = 127.0.0.1
ssl = yes
ssl_cert = <${folder}/crt
ssl_key = <${folder}/key
auth_mechanisms = ${mechanisms.join(' ').toLowerCase()}
auth_username_format = %Lu
auth_default_realm = demo.test
${tickets}
auth_failure_delay = 0
first_valid_uid = 1
mail_location = maildir:${folder}/mail
submission_relay_host = 127.0.0.1
submission_relay_port = ${relay.port}
service submission-login {
  chroot =
  inet_listener submission {
    address = 127.0.0.1
    port = ${dovecotPort}
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
userdb {
  driver = static
  args = uid=${NOBODY} gid=${NOBODY} home=${folder}/mail
}
passdb {
  driver = passwd-file
  args = ${folder}/users
}
`
}

for (const mechanism of CYRUS)
  test(`our client logs in at Postfix with Cyrus SASL by ${mechanism}`, {
    skip: cyrusSkip,
  }, async () => {
    const go = (password: string) =>
      loginAt(postfix.port, HOST, { username: `dan`, password, mechanisms: [mechanism] })
    assert.equal(await go('pässword'), mechanism)
    assert.match(await go('wrong'), /^the login was refused|did not prove/)
  })

for (const mechanism of DOVECOT)
  test(`our client logs in at Dovecot's submission by ${mechanism}`, {
    skip: dovecotSkip,
  }, async () => {
    const go = (password: string) =>
      loginAt(dovecotPort, HOST, { username: 'dan@demo.test', password, mechanisms: [mechanism] })
    assert.equal(await go('password'), mechanism)
    assert.match(await go('wrong'), /^the login was refused/)
  })

for (const mechanism of ['GSSAPI', 'GSS-SPNEGO'])
  test(`our client logs in by a ticket (${mechanism})`, {
    skip: ticketSkip || cyrusSkip || dovecotSkip,
  }, async () => {
    const { keytab = '', principal = '' } = kdc?.person ?? {}
    const go = (port: number, ticket: object) =>
      loginAt(port, HOST, { username: '', ticket, mechanisms: [mechanism] })
    const mine = { keytab, principal }
    assert.equal(await go(postfix.port, mine), mechanism)
    assert.equal(await go(dovecotPort, mine), mechanism)
    const cache = (await kdc?.kinit('dan', 'danpw'))?.['KRB5CCNAME'] ?? ''
    assert.equal(await go(dovecotPort, { cache }), mechanism)
    assert.match(await go(dovecotPort, { cache: 'FILE:/nonexistent' }), /^kerberos: /)
    assert.match(await go(dovecotPort, { ...mine, service: 'nobody' }), /^kerberos: .*not found/)
  })
