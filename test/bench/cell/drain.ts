/**
 * Draining many messages to many destinations of which some are dead or tarpitting: how long the healthy
 * ones take with them and without, and what memory that needs. The destinations are domains of a name server
 * of the bench; their hosts are loopback addresses: one that takes all, one where nobody listens, one that
 * accepts and never says a word.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { startNames } from '../peer/names.ts'
import { dataFolder, startPostrider } from '../peer/postrider.ts'
import { startSink } from '../peer/sink.ts'
import { memoryOf } from '../proc.ts'
import { until } from '../program.ts'

const [HEALTHY, DEAD, TARPIT] = ['127.0.1.1', '127.0.1.2', '127.0.1.3']
const SESSIONS = 20

export interface Drained {
  /** From the first message in until all for healthy destinations were relayed. */
  readonly seconds: number
  readonly peakMb: number
}

export interface Draining {
  readonly messages: number
  readonly destinations: number
  /** The share of destinations that are dead or tarpitting, half of each. */
  readonly sick: number
}

export async function drain(
  root: string,
  { messages, destinations, sick }: Draining,
): Promise<Drained> {
  const folder = mkdtempSync(join(root, 'drain-'))
  const ill = Math.round(destinations * sick)
  const numberOf = (domain: string) => Number(/^d(\d+)\./.exec(domain)?.[1])
  const names = await startNames(domain => {
    const n = numberOf(domain)
    return n >= ill ? HEALTHY : n % 2 === 0 ? DEAD : TARPIT
  })
  const sockets = new Set<Socket>()
  const tarpit = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => tarpit.listen(0, TARPIT, resolve))
  const { port } = tarpit.address() as { port: number }
  const sink = await startSink(folder, 'healthy', { address: HEALTHY, port })
  const data = dataFolder(folder, 'ours')
  const server = await startPostrider(data, undefined, [
    `dns.servers=127.0.0.1:${names.port}`,
    `outbound.port=${port}`,
    'limits.localPerMinute=10000000',
    'limits.perAddress=1000',
  ])
  try {
    let healthy = 0
    const to = Array.from({ length: messages }, (_, i) => {
      const n = (i * 7919) % destinations
      if (n >= ill) healthy++
      return `u${i}@d${n}.test`
    })
    const local = join(data, 'local.sock')
    const from = performance.now()
    await Promise.all(
      Array.from({ length: SESSIONS }, (_, s) => submit(local, server.local, to, s)),
    )
    const all = async () => ((await server.done('relay')) >= healthy ? true : undefined)
    await until('the healthy ones', all, { everyMs: 50, limitMs: 600_000 })
    const seconds = (performance.now() - from) / 1000
    return { seconds, peakMb: memoryOf(server.pid).peakMb }
  } finally {
    for (const socket of sockets) socket.destroy()
    await server.stop()
    await sink.stop()
    tarpit.close()
    await names.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Every SESSIONS-th message, by one connection to the local socket. */
function submit(path: string, sender: string, to: readonly string[], first: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    let next = first
    let heard = ''
    let step: 'greeting' | 'hello' | 'data' | 'end' = 'greeting'
    const begin = () => {
      if (next >= to.length) {
        socket.end('QUIT\r\n')
        resolve()
        return
      }
      socket.write(`MAIL FROM:<${sender}>\r\nRCPT TO:<${to[next]}>\r\nDATA\r\n`)
      step = 'data'
    }
    socket.on('error', reject)
    socket.on('data', octets => {
      heard += octets.toString('latin1')
      for (let end = heard.indexOf('\r\n'); end >= 0; end = heard.indexOf('\r\n')) {
        const line = heard.slice(0, end)
        heard = heard.slice(end + 2)
        if (line[3] === '-') continue
        if (/^[45]/.test(line)) return reject(new Error(line))
        if (step === 'greeting') {
          step = 'hello'
          socket.write('EHLO bench.test\r\n')
        } else if (step === 'hello') begin()
        else if (step === 'data' && line.startsWith('354')) {
          step = 'end'
          socket.write(`From: <${sender}>\r\nSubject: ${next}\r\n\r\n${'x'.repeat(900)}\r\n.\r\n`)
        } else if (step === 'end') {
          next += SESSIONS
          begin()
        }
      }
    })
  })
}
