/**
 * What a bad peer does, each a function over a running server whose size is a parameter: the default
 * suite runs them small, `npm run torture` as large as the issue says. They assert what must hold for
 * the peer itself; that the process lives and stays small is asserted by `unharmed` and its callers.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect as connectSocket, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { Dialogue, DialogueEnded } from '../kit/dialogue.ts'
import type { ListenerName, Server } from '../kit/server.ts'

const MB = 1024 * 1024

/** Every door there is: the listeners, the local socket, and those behind STARTTLS. */
export const DOORS = [
  'smtp',
  'submission',
  'submissions',
  'lmtp',
  'pop3',
  'pop3s',
  'http',
  'local',
  'smtp+tls',
  'pop3+tls',
] as const

export type Door = (typeof DOORS)[number]

/** Connects to a door and goes through its TLS. */
export async function knock(server: Server, door: Door): Promise<Dialogue> {
  if (door === 'local') return Dialogue.connect(join(server.data, 'local.sock'))
  if (door === 'http') return Dialogue.connect(server.port('http'))
  if (door === 'smtp+tls') {
    const dialogue = await server.smtp('smtp')
    await dialogue.command('STARTTLS')
    await dialogue.secure()
    return dialogue
  }
  if (door === 'pop3+tls') {
    const dialogue = await server.connect('pop3')
    await dialogue.line()
    await dialogue.ask('STLS')
    await dialogue.secure()
    return dialogue
  }
  return server.connect(door)
}

/** One line that does not end; how many octets the server took before it hung up. */
export async function endlessLine(server: Server, door: Door, octets: number): Promise<number> {
  const dialogue = await knock(server, door)
  const piece = Buffer.alloc(MB, 'x')
  let sent = 0
  while (sent < octets && !dialogue.gone && !dialogue.socket.destroyed) {
    await Promise.race([dialogue.send(piece), dialogue.closed()])
    sent += piece.length
  }
  dialogue.end()
  return sent
}

/** Pipelined NOOPs, or whatever: replies read, counted until the server has enough or all are answered. */
export async function tinyCommands(
  server: Server,
  door: ListenerName,
  command: string,
  count: number,
): Promise<number> {
  const dialogue = await server.connect(door)
  let replies = 0
  dialogue.socket.removeAllListeners('data')
  dialogue.socket.on('data', (octets: Buffer) => {
    for (const octet of octets) if (octet === 10) replies++
  })
  const group = `${command}\r\n`.repeat(1000)
  for (let sent = 0; sent < count && !dialogue.gone; sent += 1000) {
    await Promise.race([dialogue.send(group), dialogue.closed()])
  }
  for (let tries = 0; tries < 200 && replies < count && !dialogue.gone; tries++) await sleep(20)
  dialogue.end()
  return replies
}

/** Pipelined RCPTs in one transaction: how many were taken, and how many refused for being too many. */
export async function manyRecipients(server: Server, count: number) {
  const dialogue = await server.smtp()
  await dialogue.command('MAIL FROM:<joe@remote.example>')
  const tally = { taken: 0, tooMany: 0, other: 0, closed: false }
  const rcpt = `RCPT TO:<${server.account(1).address}>\r\n`
  void dialogue.send(rcpt.repeat(count))
  try {
    for (let i = 0; i < count; i++) {
      const { code } = await dialogue.reply()
      if (code === 250) tally.taken++
      else if (code === 452) tally.tooMany++
      else tally.other++
    }
  } catch (error) {
    assert.ok(error instanceof DialogueEnded)
    tally.closed = true
  }
  dialogue.end()
  return tally
}

/** A header of so many octets, in lines; the reply at the end. */
export async function hugeHeader(server: Server, octets: number): Promise<number> {
  const dialogue = await server.smtp()
  await dialogue.command('MAIL FROM:<joe@remote.example>')
  await dialogue.command(`RCPT TO:<${server.account(1).address}>`)
  await dialogue.command('DATA')
  const line = `X-Header: ${'y'.repeat(900)}\r\n`
  const piece = line.repeat(1000)
  for (let sent = 0; sent < octets && !dialogue.gone; sent += piece.length) {
    await Promise.race([dialogue.send(piece), dialogue.closed()])
  }
  await dialogue.send('\r\nbody\r\n.\r\n')
  const { code } = await dialogue.reply()
  dialogue.end()
  return code
}

/** Large messages all at once. */
export async function largeAtOnce(
  server: Server,
  count: number,
  octets: number,
): Promise<number[]> {
  const line = `${'z'.repeat(998)}\r\n`
  const piece = Buffer.from(line.repeat(256))
  return Promise.all(
    Array.from({ length: count }, async () => {
      const dialogue = await server.smtp()
      await dialogue.command('MAIL FROM:<joe@remote.example>')
      await dialogue.command(`RCPT TO:<${server.account(1).address}>`)
      await dialogue.command('DATA')
      await dialogue.send('Subject: large\r\n\r\n')
      for (let sent = 0; sent < octets; sent += piece.length) await dialogue.send(piece)
      await dialogue.send('.\r\n')
      const { code } = await dialogue.reply()
      dialogue.end()
      return code
    }),
  )
}

/** A message of one octet a chunk; the last reply. */
export async function tinyChunks(server: Server, count: number): Promise<number> {
  const dialogue = await server.smtp()
  await dialogue.command('MAIL FROM:<joe@remote.example>')
  await dialogue.command(`RCPT TO:<${server.account(1).address}>`)
  const content = Buffer.from(`Subject: crumbs\r\n\r\n${'c'.repeat(70)}\r\n`)
  const chunk = (i: number) => `BDAT 1\r\n${String.fromCharCode(content[i % content.length] ?? 99)}`
  const sending = (async () => {
    for (let i = 0; i < count; i += 1000) {
      const some = Math.min(1000, count - i)
      await dialogue.send(Array.from({ length: some }, (_, j) => chunk(i + j)).join(''))
    }
    await dialogue.send('BDAT 2 LAST\r\n\r\n')
  })()
  for (let i = 0; i < count; i++) {
    const { code, text } = await dialogue.reply()
    assert.equal(code, 250, text)
  }
  await sending
  const { code } = await dialogue.reply()
  dialogue.end()
  return code
}

/** Half-open, crawling connections at every door, and how long a normal client needs meanwhile. */
export async function slowLoris(server: Server, count: number): Promise<{ normalMs: number }> {
  const names = ['smtp', 'submission', 'submissions', 'pop3', 'pop3s', 'lmtp'] as const
  const sockets = Array.from({ length: count }, (_, i) => {
    const port = server.listeners[names[i % names.length] ?? 'smtp'] ?? server.port('smtp')
    const socket = connectSocket(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.on('connect', () => i % 3 === 0 && socket.end('E'))
    return socket
  })
  const crawl = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write('x')
  }, 50)
  await sleep(300)
  const from = performance.now()
  await oneMessage(server)
  const normalMs = performance.now() - from
  clearInterval(crawl)
  for (const socket of sockets) socket.destroy()
  return { normalMs }
}

/** Connects until the server says 421; those it took, those it refused; then all leave. */
export async function connectionFlood(server: Server, count: number) {
  const all = await Promise.all(
    Array.from({ length: count }, async () => {
      const dialogue = await server.connect('smtp')
      const { code, text } = await dialogue.reply()
      return { dialogue, code, text }
    }),
  )
  const refused = all.filter(({ code }) => code === 421)
  for (const { text } of refused) assert.match(text, /^421 4\.7\.0 /)
  await Promise.all(refused.map(({ dialogue }) => dialogue.closed()))
  for (const { dialogue } of all) dialogue.end()
  return { taken: count - refused.length, refused: refused.length }
}

/** TLS hellos that are cut in the middle and left standing, then dropped. */
export async function stoppedHandshakes(server: Server, count: number): Promise<void> {
  const hello = await clientHello()
  const sockets: Socket[] = []
  for (let i = 0; i < count; i++) {
    const socket = connectSocket(server.port(i % 2 === 0 ? 'submissions' : 'pop3s'), '127.0.0.1')
    socket.on('error', () => {})
    socket.write(hello.subarray(0, 1 + ((i * 37) % hello.length)))
    sockets.push(socket)
  }
  await sleep(200)
  for (const [i, socket] of sockets.entries()) {
    if (i % 3 === 0) socket.resetAndDestroy()
    else if (i % 3 === 1) socket.end()
    else socket.destroy()
  }
  await sleep(100)
  for (const socket of sockets) socket.destroy()
}

/** The octets of a TLS ClientHello. */
async function clientHello(): Promise<Buffer> {
  const { createServer } = await import('node:net')
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  const received = new Promise<Buffer>(resolve =>
    server.once('connection', socket => {
      socket.on('error', () => {})
      socket.once('data', octets => {
        resolve(octets)
        socket.destroy()
      })
    }),
  )
  const client = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
  client.on('error', () => {})
  const hello = await received
  server.close()
  return hello
}

/** What a client says, cut behind every one of these. */
const SMTP_PHASES = [
  'EHLO cut.example\r\n',
  'MAIL FROM:<joe@remote.example>\r\n',
  'RCPT TO:<:to:>\r\n',
  'DATA\r\n',
  'Subject: cut\r\n\r\n',
  'half a line',
  ' and its end\r\n',
  '.\r\n',
  'QUIT\r\n',
]

const POP_PHASES = [
  'CAPA\r\n',
  'USER :to:\r\n',
  'PASS :password:\r\n',
  'STAT\r\n',
  'RETR 1\r\n',
  'DELE',
]

/** Closes or resets behind every phase, `count` times in all, ten at a time. */
export async function cuts(server: Server, count: number): Promise<void> {
  const one = async (i: number) => {
    const pop = i % 3 === 2
    const phases = pop ? POP_PHASES : SMTP_PHASES
    const door: ListenerName = pop ? 'pop3s' : i % 2 === 0 ? 'smtp' : 'submissions'
    try {
      const dialogue = await server.connect(door)
      const last = Math.floor(i / 3) % (phases.length + 1)
      for (const phase of phases.slice(0, last)) {
        await dialogue.send(
          phase
            .replace(':to:', server.account(1).address)
            .replace(':password:', server.account(1).password),
        )
        if (i % 5 === 0) await sleep(1)
      }
      if (i % 4 === 0) dialogue.reset()
      else if (i % 4 === 1) dialogue.socket.end()
      else dialogue.end()
      await dialogue.closed()
    } catch (error) {
      assert.ok(error instanceof DialogueEnded, String(error))
    }
  }
  for (let i = 0; i < count; i += 10) {
    await Promise.all(Array.from({ length: Math.min(10, count - i) }, (_, j) => one(i + j)))
  }
}

/** A reader who asks for the last message and reads nothing of it (a maildrop has one session). */
export async function stalledReader(server: Server): Promise<Dialogue> {
  const dialogue = await server.pop3(server.account(1))
  const messages = Number((await dialogue.ask('STAT')).split(' ')[1])
  dialogue.socket.pause()
  await dialogue.send(`RETR ${messages}\r\n`)
  return dialogue
}

/** Random octets at every door for a time. */
export async function noise(server: Server, ms: number): Promise<void> {
  const until = performance.now() + ms
  await Promise.all(
    DOORS.map(async door => {
      while (performance.now() < until) {
        try {
          const dialogue = await knock(server, door)
          for (let i = 0; i < 20 && !dialogue.gone; i++) {
            const octets = randomBytes(1 + Math.floor(Math.random() * 4000))
            await Promise.race([dialogue.send(octets), dialogue.closed()])
          }
          dialogue.end()
        } catch (error) {
          assert.ok(error instanceof DialogueEnded, String(error))
        }
      }
    }),
  )
}

/** A normal client's normal message; how it ends. */
export async function oneMessage(server: Server): Promise<void> {
  const dialogue = await server.smtp()
  await dialogue.command('MAIL FROM:<joe@remote.example>')
  await dialogue.command(`RCPT TO:<${server.account(0).address}>`)
  await dialogue.command('DATA')
  const { code, text } = await dialogue.command('Subject: normal\r\n\r\nhello\r\n.')
  assert.equal(code, 250, text)
  await dialogue.command('QUIT')
  dialogue.end()
}

/** The process lives, serves, has said nothing of a bug, and holds no more descriptors than before. */
export async function unharmed(server: Server, descriptors: number): Promise<void> {
  assert.ok(server.alive, `it died:\n${server.log.slice(-20).join('\n')}`)
  await oneMessage(server)
  assert.deepEqual(server.faults(), [])
  for (let tries = 0; server.descriptors() > descriptors; tries++) {
    assert.ok(tries < 100, `${server.descriptors()} descriptors, ${descriptors} before`)
    await sleep(50)
  }
}

/** Sessions that stand, as /metrics counts them. */
export async function sessions(server: Server): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${server.port('http')}/metrics`)).text()
  return Number(/^postrider_connections (\d+)/m.exec(text)?.[1] ?? Number.NaN)
}
