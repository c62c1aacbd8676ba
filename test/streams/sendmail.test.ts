/**
 * `sendmail -bs` with the real server: by two pipes, as a program of this machine, and on a connection
 * from the network that a parent has put on its descriptors, as inetd and `systemd` (Accept=yes) do.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, type TestContext, test } from 'node:test'
import { clear, newFolder, POSTRIDER, type Server, startServer } from '../kit/server.ts'

let server: Server

before(async () => {
  server = await startServer({ set: { 'listeners.inetd.enabled': true } })
})
after(async () => {
  clear()
})

const ARGS = ['sendmail', '-bs', '--data']

/** Runs the command on each connection that comes in, with the connection as its descriptors. */
async function inetd(
  t: TestContext,
  data: string,
  descriptors: (socket: Socket) => ['inherit' | Socket, 'ignore' | Socket, 'ignore'],
) {
  const listener = createServer({ pauseOnConnect: true }, socket => {
    const child = spawn(POSTRIDER, [...ARGS, data], { stdio: descriptors(socket) })
    child.once('spawn', () => socket.destroy())
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  t.after(() => listener.close())
  return (listener.address() as AddressInfo).port
}

async function say(port: number, lines: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let heard = ''
  socket.on('data', octets => (heard += octets.toString()))
  socket.write(`${lines.join('\r\n')}\r\n`)
  await once(socket, 'close')
  return heard
}

const letter = (from: string, to: string) => [
  'EHLO client.example',
  `MAIL FROM:<${from}>`,
  `RCPT TO:<${to}>`,
  'DATA',
  'Subject: by hand',
  '',
  'hello',
  '.',
  'QUIT',
]

const codes = (heard: string) => [...heard.matchAll(/^(\d{3}) /gm)].map(match => match[1]).join(' ')

for (const [ends, lineEnd] of [
  ['CRLF', '\r\n'],
  ['LF, as a terminal does', '\n'],
] as const) {
  test(`two pipes are a user of this machine, who ends lines with ${ends}`, async () => {
    const { address } = server.account()
    const child = spawn(POSTRIDER, [...ARGS, server.data], { stdio: ['pipe', 'pipe', 'inherit'] })
    let heard = ''
    child.stdout.on('data', octets => (heard += octets.toString()))
    child.stdin.end(`${letter(address, 'x@elsewhere.example').join(lineEnd)}${lineEnd}`)
    const [code] = await once(child, 'close')
    assert.equal(code, 0)
    assert.equal(codes(heard), '220 250 250 250 354 250 221', heard)
  })
}

test('-bv says of each recipient whether mail for it would be taken, and sends none', async () => {
  const { address } = server.account()
  const names = [address, `nobody@${server.domain}`]
  const args = ['sendmail', '--data', server.data, '-bv', ...names]
  const child = spawn(POSTRIDER, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [told, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  assert.equal(code, 67)
  const [first, second] = told.split('\n')
  assert.equal(first, `${address}... deliverable`)
  assert.match(second ?? '', /^nobody@\S+\.\.\. 550 5\.1\.1 /)
})

test('a message file with the line ends of this machine is sent as a message, and its Bcc is seen by nobody', async () => {
  const [alice, bob] = [server.account(), server.account(1)].map(({ address }) => address)
  const file = join(newFolder('letter'), 'letter.eml')
  const header = `From: ${alice}\nTo: ${alice}\nBcc: ${bob}\nSubject: from a file\n`
  writeFileSync(file, `${header}\nhello\n.\nend`)
  const { code, err } = await server.run('send', '--message', file, '--from', alice ?? '')
  assert.equal(code, 0, err)
  for (const account of server.accounts) {
    const mail = (await server.mail(account)).map(String)
    const letter = mail.find(each => each.includes('Subject: from a file')) ?? ''
    assert.ok(letter.endsWith('\r\n\r\nhello\r\n.\r\nend\r\n'), letter)
    assert.doesNotMatch(letter, /Bcc/)
    assert.doesNotMatch(letter, /[^\r]\n/)
  }
})

for (const [title, descriptors] of [
  ['on all descriptors', (socket: Socket) => [socket, socket, 'ignore']],
  ['on descriptor 0 alone', (socket: Socket) => [socket, 'ignore', 'ignore']],
] as const) {
  test(`a connection from the network ${title} is a stranger, served as by the MX listener`, async t => {
    const port = await inetd(t, server.data, descriptors as never)
    const { address } = server.account(1)
    const taken = await say(port, letter('a@client.example', address))
    assert.equal(codes(taken), '220 250 250 250 354 250 221', taken)
    assert.match(taken, /STARTTLS/)
    const refused = await say(port, letter(server.account().address, 'x@elsewhere.example'))
    assert.match(refused, /550 5\.7\.1 .*relaying denied/)
    const mail = (await server.mail(server.account(1))).map(String)
    assert.match(mail.at(-1) ?? '', /Received: from client\.example \(\[127\.0\.0\.1\]\)/)
  })
}

test('without the socket that such connections are handed to, a stranger is told to come later', async t => {
  const port = await inetd(t, newFolder(), socket => [socket as never, socket, 'ignore'])
  const heard = await say(port, ['EHLO x'])
  assert.equal(heard, '421 4.3.2 Service not available, try again later\r\n')
})

test('--help says what it takes, and reads no message', async () => {
  const child = spawn(POSTRIDER, ['sendmail', '--help'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [told, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  assert.match(told, /^Usage: postrider sendmail /)
  assert.equal(code, 0)
})
