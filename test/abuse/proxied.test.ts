/**
 * The PROXY protocol at a real server's listeners: the client counts in limits, in Received and in
 * POP3, what comes without a header is closed, and from strangers a header is noise.
 */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { clear, type ListenerName, type Server, startServer } from '../kit/server.ts'

const LISTENERS = ['smtp', 'submission', 'submissions', 'lmtp', 'pop3', 'pop3s'] as const

let server: Server
before(async () => {
  server = await startServer({
    set: {
      ...Object.fromEntries(
        LISTENERS.map(name => [`listeners.${name}.proxyProtocol`, '10.0.0.0/8,127.0.0.1']),
      ),
      'listeners.odmr.enabled': true,
      'listeners.odmr.proxyProtocol': '10.0.0.0/8',
      'limits.perAddress': 2,
      'limits.loginFailures': 1,
    },
  })
})
after(clear)

/** Everything a peer hears until a pattern shows, or the end. */
function hears(socket: Socket, until: RegExp): Promise<string> {
  return new Promise(resolve => {
    let heard = ''
    socket.on('data', (octets: Buffer) => {
      heard += octets.toString('latin1')
      if (until.test(heard)) resolve(heard)
    })
    socket.on('close', () => resolve(`${heard}[closed]`))
    socket.on('error', () => {})
  })
}

/** Connects as a proxy would for a client; under TLS where the listener begins so. */
function through(name: ListenerName, client: string): Socket {
  const socket = connect(server.port(name), '127.0.0.1')
  const family = client.includes(':') ? 'TCP6' : 'TCP4'
  const here = client.includes(':') ? '2001:db8::25' : '198.51.100.25'
  socket.write(`PROXY ${family} ${client} ${here} 40000 ${server.port(name)}\r\n`)
  if (name !== 'submissions' && name !== 'pop3s') return socket
  return connectTls({ socket, rejectUnauthorized: false })
}

test('every listener greets behind the header', async () => {
  for (const name of LISTENERS) {
    const socket = through(name, `192.0.2.${10 + LISTENERS.indexOf(name)}`)
    assert.match(await hears(socket, /\r\n/), /^(?:220 |\+OK )/, name)
    socket.destroy()
  }
})

test('every listener closes without a word on a trusted peer that begins with anything else', async () => {
  for (const name of LISTENERS) {
    const socket = connect(server.port(name), '127.0.0.1')
    socket.write('QUIT\r\n')
    assert.equal(await hears(socket, /never/), '[closed]', name)
  }
  await until(() => server.log.filter(line => line.includes('proxy.refused')).length >= 6)
})

test('the client stands in Received, and its address in brackets is ours', async () => {
  const { address } = server.account()
  const socket = through('smtp', '192.0.2.33')
  socket.write('EHLO client.example\r\nMAIL FROM:<a@client.example>\r\n')
  socket.write(`RCPT TO:<${address}>\r\nRCPT TO:<postmaster@[198.51.100.25]>\r\nDATA\r\n`)
  assert.match(await hears(socket, /354 /), /250 2\.1\.5.*\r\n250 2\.1\.5/)
  socket.write('Subject: proxied\r\n\r\n.\r\nQUIT\r\n')
  await hears(socket, /221 /)
  const reader = through('pop3s', '192.0.2.34')
  const { password } = server.account()
  reader.write(`USER ${address}\r\nPASS ${password}\r\nRETR 1\r\nQUIT\r\n`)
  const mail = await hears(reader, /Subject: proxied/)
  assert.match(mail, /Received: from client\.example \(\[192\.0\.2\.33\]\)/)
})

test('connections are counted by client, not by proxy', async () => {
  const standing = ['2001:db8::1', '2001:db8::2'].map(client => through('smtp', client))
  await Promise.all(standing.map(socket => hears(socket, /220 /)))
  assert.match(
    await hears(through('smtp', '2001:db8::3'), /\r\n/),
    /^421 4\.7\.0 mail\.demo\.test too many/,
  )
  assert.match(await hears(through('smtp', '2001:db8:1::1'), /\r\n/), /^220 /)
  for (const socket of standing) socket.destroy()
})

test('failed logins are counted by client, of POP3 too', async () => {
  const ask = async (client: string) => {
    const socket = through('pop3s', client)
    socket.write(`USER ${server.account().address}\r\nPASS wrong\r\nQUIT\r\n`)
    return hears(socket, /-ERR.*\r\n/)
  }
  assert.match(await ask('203.0.113.1'), /-ERR \[AUTH\]/)
  // Banned by now: there is no handshake for it either.
  assert.equal(await ask('203.0.113.1'), '[closed]')
  assert.match(await ask('203.0.113.2'), /-ERR \[AUTH\]/)
})

test('from a stranger a header is two bad commands', async () => {
  const socket = connect(server.port('odmr'), '127.0.0.1')
  socket.write('PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\nQUIT\r\n')
  assert.match(await hears(socket, /221 /), /^220 .*\r\n500 5\.5\.1 .*\r\n221 /)
  const binary = connect(server.port('odmr'), '127.0.0.1')
  binary.write('\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c123456789012\r\nQUIT\r\n')
  assert.match(await hears(binary, /221 /), /^220 .*\r\n(?:500 .*\r\n)+221 /)
})

async function until(holds: () => boolean): Promise<void> {
  for (let turns = 0; !holds() && turns < 200; turns++) {
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  assert.ok(holds())
}
