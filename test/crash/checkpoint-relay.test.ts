/**
 * Two real servers with a bad line between them (RFC 1845): a large message that breaks off goes on where
 * it stopped, also where its sender was killed, and a lost reply makes no second copy.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { clear, type Server, startServer } from '../kit/server.ts'

let line: Awaited<ReturnType<typeof badLine>>
let to: Server
let from: Server

before(async () => {
  to = await far()
  line = await badLine(to.port('smtp'))
  from = await near()
})
beforeEach(() => {
  line.octets = 0
})
after(() => {
  line.close()
  clear()
})

/** A line that counts what goes up it, and breaks when it is told to. */
async function badLine(to: number) {
  const line = {
    port: 0,
    /** Octets that have gone up on all connections. */
    octets: 0,
    /** At how many it breaks next; then nothing more passes until it is mended. */
    breakAt: Number.POSITIVE_INFINITY,
    /** The reply to the end of a message is lost, and the connection with it, once. */
    loseReply: false,
    close: () => server.close(),
  }
  const server = createServer(near => {
    const far = connect(to, '127.0.0.1')
    let tail = Buffer.alloc(0)
    for (const socket of [near, far]) socket.on('error', () => {})
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
    near.on('data', octets => {
      line.octets += octets.length
      tail = Buffer.concat([tail, octets.subarray(-5)]).subarray(-5)
      // The octets that break it are the last that pass.
      if (line.octets >= line.breakAt) {
        line.breakAt = Number.POSITIVE_INFINITY
        far.end(octets, () => near.resetAndDestroy())
      } else if (!far.write(octets)) {
        near.pause()
        far.once('drain', () => near.resume())
      }
    })
    far.on('data', octets => {
      if (!(line.loseReply && tail.toString() === '\r\n.\r\n')) near.write(octets)
      else {
        line.loseReply = false
        near.resetAndDestroy()
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  line.port = (server.address() as AddressInfo).port
  return line
}

async function far(): Promise<Server> {
  const server = await startServer({ set: { 'listeners.smtp.with': 'CHECKPOINT' } })
  for (const args of [
    ['domain', 'add', 'far.example'],
    ['alias', 'add', 'bob@far.example', server.account(1).address],
  ]) {
    const { code, err } = await server.run(...args)
    assert.equal(code, 0, err)
  }
  return server
}

const near = (data?: string) =>
  startServer({
    set: {
      'queue.retry': '1s',
      'outbound.smarthost.host': '127.0.0.1',
      'outbound.smarthost.port': line.port,
      'outbound.smarthost.tls': 'never',
    },
    ...(data === undefined ? {} : { data }),
  })

async function submit(server: Server, octets: number): Promise<string> {
  const text = `Subject: large\r\n\r\n${`.${'a long line '.repeat(70)}\r\n`.repeat(octets / 843)}`
  const smtp = await server.submission()
  await smtp.command(`MAIL FROM:<${server.account(0).address}>`)
  await smtp.command('RCPT TO:<bob@far.example>')
  await smtp.command('DATA')
  await smtp.send(text.replace(/^\./gm, '..'))
  assert.equal((await smtp.command('.')).code, 250)
  smtp.end()
  return text
}

/** Exactly one copy has come, and no further one comes; it is taken away. */
async function arrived(text: string): Promise<void> {
  let reader = await to.pop3(to.account(1))
  for (let waits = 0; waits < 400 && (await reader.ask('STAT')).startsWith('+OK 0 '); waits++) {
    await reader.ask('QUIT')
    await sleep(50)
    reader = await to.pop3(to.account(1))
  }
  await reader.ask('QUIT')
  await sleep(1_500)
  const [message, ...more] = await to.mail(to.account(1))
  assert.deepEqual(more, [])
  assert.ok(message?.toString('latin1').endsWith(text), 'octet for octet')
  reader = await to.pop3(to.account(1))
  await reader.ask('DELE 1')
  assert.match(await reader.ask('QUIT'), /^\+OK/)
}

test('a message that breaks off goes on where it stopped', async () => {
  line.breakAt = 3_500_000
  const text = await submit(from, 5_000_000)
  await arrived(text)
  // What goes again is less than a piece and what was in the sockets.
  assert.ok(line.octets < text.length + 2_000_000, `${line.octets}`)
})

test('a sender that is killed goes on where it stopped', async () => {
  line.breakAt = 3_500_000
  const text = await submit(from, 5_000_000)
  while (line.breakAt < Number.POSITIVE_INFINITY) await sleep(2)
  await from.stop('SIGKILL')
  from = await near(from.data)
  await arrived(text)
  assert.ok(line.octets < text.length + 2_000_000, `${line.octets}`)
})

test('a reply that was lost is asked for, and no second copy made', async () => {
  line.loseReply = true
  const text = await submit(from, 90_000)
  await arrived(text)
  assert.equal(line.loseReply, false)
  assert.ok(line.octets < 1.5 * text.length, 'the content went once')
  const { out } = await from.run('queue', 'list')
  assert.doesNotMatch(out, /bob@far\.example/)
  await Promise.all([from.stop(), to.stop()])
})
