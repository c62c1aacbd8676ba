/**
 * Thresholds at a real server, by peers at addresses of their own (127.0.0.0/8 is exempt of nothing here): who is
 * turned away, what is said, who is left alone, and how an operator sees and ends it.
 */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { clear, type Server, startServer } from '../kit/server.ts'

let server: Server
before(async () => {
  server = await startServer({
    set: {
      'limits.exempt': '127.0.0.1',
      'limits.perAddress': 4,
      'limits.loginFailures': 3,
      'limits.rates.badRecipients': '3/1h',
      'limits.rates.messages': '2/min',
      'limits.rates.connections': '6/min',
      'limits.tarpit.after': 1,
      'limits.tarpit.first': '400ms',
      'listeners.imap.plaintextAuth': true,
      'listeners.imap.address': '127.0.0.1',
      'listeners.pop3.plaintextAuth': true,
      'listeners.pop3.address': '127.0.0.1',
    },
  })
})
after(clear)

/** A peer at an address of this machine: what it has heard so far, and the wait for more. */
class Peer {
  heard = ''
  readonly #socket: Socket

  constructor(name: 'smtp' | 'pop3' | 'imap', localAddress: string) {
    const port = server.port(name as 'smtp')
    this.#socket = connect({ port, host: '127.0.0.1', localAddress })
    this.#socket.on('error', () => {})
    this.#socket.on('data', (octets: Buffer) => (this.heard += octets.toString('latin1')))
    this.#socket.on('close', () => (this.heard += '[closed]'))
  }

  say(text: string): void {
    this.#socket.write(`${text}\r\n`)
  }

  async hears(pattern: RegExp): Promise<string> {
    for (let turns = 0; !pattern.test(this.heard); turns++) {
      assert.ok(turns < 500, `${pattern} in ${JSON.stringify(this.heard)}`)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    return this.heard
  }

  end(): void {
    this.#socket.destroy()
  }
}

const cli = (...args: readonly string[]) => server.run(...args)

test('an explicit limit of an address holds for this machine too', async () => {
  const standing = Array.from({ length: 4 }, () => new Peer('smtp', '127.0.0.1'))
  await Promise.all(standing.map(peer => peer.hears(/^220 /)))
  const late = new Peer('smtp', '127.0.0.1')
  await late.hears(/^421 4\.7\.0 \S+ too many connections from one address.*\r\n\[closed\]/)
  for (const peer of standing) peer.end()
})

test('wrong logins by IMAP ban the address at every door, until an operator lifts it', async () => {
  const guesser = new Peer('imap', '127.0.0.2')
  for (let i = 0; i < 3; i++) guesser.say(`a${i} LOGIN nobody wrong${i}`)
  await guesser.hears(/a0 NO \[AUTHENTICATIONFAILED\][\s\S]*BYE failed logins\r\n\[closed\]/)
  await new Peer('smtp', '127.0.0.2').hears(/^421 4\.7\.0 \S+ turned away[\s\S]*\[closed\]/)
  await new Peer('pop3', '127.0.0.2').hears(/^-ERR \[SYS\/TEMP\] turned away[\s\S]*\[closed\]/)
  await new Peer('imap', '127.0.0.2').hears(/^\* BYE \[UNAVAILABLE\] turned away[\s\S]*\[closed\]/)
  const other = new Peer('smtp', '127.0.0.3')
  await other.hears(/^220 /)
  other.end()
  const listed = await cli('ban', 'list', '--json')
  const [ban] = JSON.parse(listed.out) as { network: string; reason: string; level: number }[]
  assert.deepEqual([ban?.network, ban?.reason, ban?.level], ['127.0.0.2/32', 'failed logins', 1])
  const explained = await cli(
    ...['explain', '--from', 'a@b.example', '--to', server.account().address, '--ip', '127.0.0.2'],
  )
  assert.match(explained.out, /421 4\.7\.0 \S+ turned away for a while \(failed logins\)/)
  assert.match((await cli('ban', 'lift', '127.0.0.2')).out, /127\.0\.0\.2\/32 may come again/)
  const again = new Peer('smtp', '127.0.0.2')
  await again.hears(/^220 /)
  again.end()
})

test('an operator turns a network away, and those who are in it', async () => {
  const peer = new Peer('pop3', '127.0.9.9')
  await peer.hears(/^\+OK/)
  const added = await cli('ban', 'add', '127.0.9.0/24', '--for', '1h', '--reason', 'a test')
  assert.match(added.out, /127\.0\.9\.0\/24 .*operator +a test/)
  await peer.hears(/-ERR \[SYS\/TEMP\] turned away for a while\r\n\[closed\]/)
  assert.equal((await cli('ban', 'add', '127.0.0.1')).code, 65)
  assert.equal((await cli('ban', 'add', 'nonsense')).code, 64)
})

test('guessing at recipients bans, and each wrong one costs more time', async () => {
  const from = performance.now()
  const peer = new Peer('smtp', '127.0.0.4')
  await peer.hears(/^220 /)
  peer.say('EHLO a.example')
  peer.say('MAIL FROM:<a@a.example>')
  for (let i = 0; i < 2; i++) {
    const domain = server.account().address.split('@')[1]
    peer.say(`RCPT TO:<nobody${i}@${domain}>`)
    await peer.hears(new RegExp(`(?:550 5\\.1\\.1.*\\r\\n){${i + 1}}`))
  }
  assert.ok(performance.now() - from >= 400)
  for (let i = 2; i < 4; i++)
    peer.say(`RCPT TO:<nobody${i}@${server.account().address.split('@')[1]}>`)
  await peer.hears(/421 4\.7\.0 .* closing: guessing at recipients\r\n\[closed\]/)
})

test('messages and connections of a stranger have a rate, and loopback has none', async () => {
  const peer = new Peer('smtp', '127.0.0.5')
  await peer.hears(/^220 /)
  peer.say('EHLO a.example')
  for (let i = 0; i < 3; i++) peer.say('MAIL FROM:<a@a.example>\r\nRSET')
  await peer.hears(/450 4\.7\.1 too many messages/)
  peer.end()
  for (let i = 0; i < 5; i++) {
    const next = new Peer('smtp', '127.0.0.5')
    await next.hears(/^220 /)
    next.end()
  }
  await new Peer('smtp', '127.0.0.5').hears(/^421 4\.7\.0 \S+ too many connections in a short time/)
  for (let i = 0; i < 10; i++) {
    const here = new Peer('smtp', '127.0.0.1')
    await here.hears(/^220 /)
    here.end()
    await here.hears(/closed/)
  }
})

test('explain tells who may write as whom', async () => {
  const [joe, other] = [server.account(0).address, server.account(1).address]
  const asked = (from: string) =>
    cli('explain', '--from', joe, '--to', other, '--account', joe, '--header', `From: ${from}`)
  assert.match((await asked(other)).out, /refused +550 5\.7\.1 From .*: not an address of/)
  assert.match((await asked('a@elsewhere.example')).out, new RegExp(`added +Sender: ${joe}`))
})
