/**
 * What stands in front of a mail server: nginx's mail proxy, which ends TLS and logs in here in the clear or vouches
 * for its client by XCLIENT; HAProxy with its checks and PROXY headers; stunnel, which speaks STARTTLS for programs
 * that cannot; perdition for IMAP and POP3.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { takeOne } from './mailbox.ts'
import { find, lacks, type ProgramName, run, until } from './program.ts'
import { accepts, freePort } from './sink.ts'

const folder = newFolder('proxies')
const at = (name: string) => join(folder, name)
const proxies: ChildProcess[] = []
let server: Server

/** nginx asks by HTTP whether a login will do, and where to go with it. */
const judge = createServer((request, response) => {
  response.writeHead(200, {
    'Auth-Status': 'OK',
    'Auth-Server': '127.0.0.1',
    'Auth-Port': `${hopOf(request.headers)}`,
  })
  response.end()
})

function hopOf(headers: IncomingHttpHeaders): number {
  const protocol = headers['auth-protocol']
  if (headers['auth-method'] === 'none') return server.port('smtp')
  return server.port(protocol === 'imap' || protocol === 'pop3' ? protocol : 'submission')
}

before(async () => {
  const loopback = '127.0.0.1'
  server = await startServer({
    set: {
      'listeners.submission.plaintextAuth': true,
      'listeners.submission.xclient': loopback,
      'listeners.smtp.xclient': loopback,
      'listeners.imap.plaintextAuth': true,
      'listeners.pop3.plaintextAuth': true,
      'listeners.submissions.proxyProtocol': loopback,
      'listeners.imaps.proxyProtocol': loopback,
    },
  })
  await new Promise<void>(resolve => judge.listen(0, loopback, resolve))
})
after(async () => {
  for (const proxy of proxies) proxy.kill()
  judge.close()
  assert.deepEqual(server.faults(), [])
  await server.stop()
  clear()
})

/** Starts a proxy with this configuration, in the foreground; it is there once `port` accepts. */
async function stand(name: ProgramName, config: string, port: number, args: readonly string[]) {
  const file = at(`${name.replace(/\W/g, '')}.conf`)
  writeFileSync(file, config)
  const proxy = spawn(find(name) as string, [...args, file], { stdio: 'ignore', cwd: folder })
  proxies.push(proxy)
  await until(`${name} accepts`, () => accepts(port))
}

const alice = () => server.account(0)
const bob = () => server.account(1)

/** A letter of the first account to the second by swaks; it comes with this subject. */
async function send(port: number, subject: string, flags: readonly string[] = []): Promise<string> {
  const from = ['--from', alice().address, '--h-From', alice().address, '--to', bob().address]
  const place = ['-s', '127.0.0.1', '--port', `${port}`, '--timeout', '10s']
  const ran = await run('swaks', [...place, ...from, '--h-Subject', subject, ...flags])
  assert.equal(ran.code, 0, ran.text)
  const message = await takeOne(server, bob())
  assert.match(message, new RegExp(`^Subject: ${subject}\\r$`, 'm'))
  return message
}

const login = () => ['-a', 'PLAIN', '-au', alice().address, '-ap', alice().password]

async function curl(...args: string[]): Promise<string> {
  const ran = await run('curl', ['-sS', '-k', '-u', `${bob().address}:${bob().password}`, ...args])
  assert.equal(ran.code, 0, ran.text)
  return ran.text
}

test('nginx ends TLS: it logs in here in the clear, or vouches for its client by XCLIENT', {
  skip: lacks('nginx', 'nginx mail', 'swaks', 'curl'),
}, async () => {
  const ports = await Promise.all(Array.from({ length: 5 }, freePort))
  const [mx = 0, passing = 0, vouching = 0, imap = 0, pop3 = 0] = ports
  const listen = (port: number, rest: string) => `server { listen 127.0.0.1:${port}; ${rest} }\n`
  await stand(
    'nginx',
    `load_module ${find('nginx mail')};
daemon off; master_process off; pid ${at('nginx.pid')}; error_log ${at('nginx.log')};
events {}
mail {
auth_http 127.0.0.1:${(judge.address() as AddressInfo).port}/; server_name proxy.test;
ssl_certificate ${server.certificate}; ssl_certificate_key ${join(dirname(server.certificate), 'key.pem')};
${listen(passing, 'protocol smtp; starttls only; smtp_auth plain login; xclient off; proxy_smtp_auth on;')}
${listen(vouching, 'protocol smtp; starttls only; smtp_auth plain login; xclient on;')}
${listen(mx, 'protocol smtp; smtp_auth none; xclient on;')}
${listen(imap, 'protocol imap; starttls only; imap_auth plain login;')}
${listen(pop3, 'protocol pop3; starttls only; pop3_auth plain;')}
}\n`,
    pop3,
    ['-c'],
  )
  await send(passing, 'passed on', ['-tls', ...login()])
  await send(vouching, 'vouched for', ['-tls', ...login()])
  await send(mx, 'from elsewhere')
  assert.match(await curl('--ssl-reqd', `imap://127.0.0.1:${imap}/INBOX?ALL`), /^\* SEARCH/)
  await curl('--ssl-reqd', `pop3://127.0.0.1:${pop3}/`)
})

test('HAProxy finds us up by HELO, EHLO and a greeting under TLS, and tells whom it speaks for', {
  skip: lacks('haproxy', 'swaks', 'curl'),
}, async () => {
  const [mx = 0, helo = 0, submissions = 0, imaps = 0, stats = 0] = await Promise.all(
    Array.from({ length: 5 }, freePort),
  )
  const hop = (name: 'smtp' | 'submissions' | 'imaps', rest: string) =>
    ` server ${name} 127.0.0.1:${server.port(name)} inter 200 fastinter 200 ${rest}\n`
  const listen = (port: number, rest: string) => `listen l${port}\n bind 127.0.0.1:${port}\n${rest}`
  await stand(
    'haproxy',
    `defaults
 mode tcp
 timeout connect 5s
 timeout client 20s
 timeout server 20s
${listen(mx, ` option smtpchk EHLO proxy.test\n${hop('smtp', 'check')}`)}
${listen(helo, ` option smtpchk\n${hop('smtp', 'check')}`)}
${listen(submissions, hop('submissions', 'send-proxy-v2 check check-send-proxy check-ssl verify none'))}
${listen(imaps, ` option tcp-check\n tcp-check connect ssl send-proxy\n tcp-check expect rstring ^\\*\\ OK\n${hop('imaps', 'send-proxy check verify none')}`)}
${listen(stats, ' mode http\n stats enable\n stats uri /\n')}`,
    stats,
    ['-db', '-f'],
  )
  await until('all checks pass', async () => {
    const { text } = await run('curl', ['-s', `http://127.0.0.1:${stats}/;csv`])
    const checks = text.match(/,(?:L[4-7]\w+),/g) ?? []
    return checks.length === 4 && checks.every(check => /^,L[67]OK,$/.test(check))
      ? true
      : undefined
  })
  await send(mx, 'balanced')
  await send(submissions, 'balanced under TLS', ['-tlsc', ...login()])
  assert.match(await curl(`imaps://127.0.0.1:${imaps}/INBOX?ALL`), /^\* SEARCH/)
})

test('stunnel speaks STARTTLS and STLS for programs that cannot', {
  skip: lacks('stunnel4', 'swaks', 'curl'),
}, async () => {
  const [smtp = 0, submission = 0, imap = 0, pop3 = 0] = await Promise.all(
    Array.from({ length: 4 }, freePort),
  )
  const service = (name: 'smtp' | 'submission' | 'imap' | 'pop3', port: number) =>
    `[${name}]\nclient = yes\naccept = 127.0.0.1:${port}\nconnect = 127.0.0.1:${server.port(name)}\nprotocol = ${name === 'submission' ? 'smtp' : name}\n`
  const config = `foreground = yes\npid =\nCAfile = ${server.certificate}\nverifyPeer = yes\n`
  const services = [service('smtp', smtp), service('submission', submission), service('imap', imap)]
  await stand('stunnel4', `${config}${services.join('')}${service('pop3', pop3)}`, pop3, [])
  await send(smtp, 'through a tunnel')
  await send(submission, 'through a tunnel with a login', login())
  assert.match(await curl(`imap://127.0.0.1:${imap}/INBOX?ALL`), /^\* SEARCH/)
  await curl(`pop3://127.0.0.1:${pop3}/`)
})

for (const protocol of ['imap', 'pop3'] as const) {
  const name = protocol === 'imap' ? 'perdition.imap4' : 'perdition.pop3'
  test(`perdition leads its users here by ${protocol}`, {
    skip: lacks(name, 'curl', 'root'),
  }, async () => {
    const port = await freePort()
    const hop = `127.0.0.1:${server.port(protocol)}`
    const options = [
      '--no_daemon',
      '--no_lookup',
      '-u',
      'root',
      '-g',
      'root',
      '--log_facility',
      '-',
    ]
    const tls = ['--ssl_mode', 'tls_outgoing', '--ssl_no_cert_verify', '--ssl_no_cn_verify']
    const place = ['-b', '127.0.0.1', '-l', `${port}`, '--outgoing_server', hop]
    const pid = ['--pid_file', at(`${protocol}.pid`)]
    await stand(name, '', port, [...options, ...tls, ...place, ...pid, '--config_file'])
    const path = protocol === 'imap' ? '/INBOX?ALL' : '/'
    await curl(`${protocol}://127.0.0.1:${port}${path}`)
  })
}
