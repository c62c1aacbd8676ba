/**
 * The process of those who guess at passwords, over thousands of connections and without a pause: each guesses as soon
 * as it is answered, and comes again as soon as it is sent away. Started by ../login-storm.ts, so that what
 * guessing costs the guessers is not taken for a wait of whoever logs in.
 */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface Guessing {
  readonly ports: Readonly<Record<string, number>>
  /** Where they guess, in turn. */
  readonly doors: readonly string[]
  readonly connections: number
  /** Names of accounts; every other guess is at a name that nobody has. */
  readonly names: readonly string[]
  /** Addresses that they come from, in turn. */
  readonly from: readonly string[]
}

/** Guesses that were wrong, that were told to come later, connections that were made, that failed. */
export type Guessed = Record<'wrong' | 'later' | 'connected' | 'failed', number>

const tally: Guessed = { wrong: 0, later: 0, connected: 0, failed: 0 }
let over = false
const sockets = new Set<Socket>()

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** What is said at a line of the server; undefined: nothing yet. `greeted` is false for the first. */
type Speaker = (line: string, name: string, greeted: boolean) => string | undefined

const speakers: Readonly<Record<string, Speaker>> = {
  imap: (line, name, greeted) =>
    !greeted || line.startsWith('a ') ? `a LOGIN ${name} ${secret()}` : undefined,
  pop3: (line, name) => (line.includes('send your password') ? `PASS ${secret()}` : `USER ${name}`),
  submission(line, name, greeted) {
    if (!greeted) return 'EHLO guesser.example'
    if (line.startsWith('334 ')) {
      const [nonce = ''] = Buffer.from(line.slice(4), 'base64').toString().split(',')
      return base64(`c=biws,${nonce},p=${randomBytes(32).toString('base64')}`)
    }
    if (/^\d{3}-/.test(line)) return undefined
    return `AUTH SCRAM-SHA-256 ${base64(`n,,n=${name},r=${secret()}`)}`
  },
}
const overTls: Readonly<Record<string, Speaker>> = {
  imaps: speakers.imap as Speaker,
  pop3s: speakers.pop3 as Speaker,
  submissions(line, name, greeted) {
    if (!greeted) return 'EHLO guesser.example'
    if (/^\d{3}-/.test(line)) return undefined
    return `AUTH PLAIN ${base64(`\0${name}\0${secret()}`)}`
  },
}

function secret(): string {
  return randomBytes(6).toString('hex')
}

function guess(work: Guessing, n: number): void {
  if (over) return
  const door = work.doors[n % work.doors.length] ?? ''
  const tls = overTls[door]
  const speaker = tls ?? speakers[door]
  const localAddress = work.from[n % work.from.length] ?? '127.0.0.1'
  const plain = connect({ host: '127.0.0.1', port: work.ports[door] ?? 0, localAddress })
  const socket = tls ? connectTls({ socket: plain, rejectUnauthorized: false }) : plain
  if (tls) plain.on('error', () => {})
  sockets.add(socket)
  let greeted = false
  let turn = n
  let rest = ''
  let connected = false
  socket.setNoDelay(true)
  socket.once(tls ? 'secureConnect' : 'connect', () => {
    connected = true
    tally.connected++
  })
  socket.on('data', (octets: Buffer) => {
    const lines = (rest + octets.toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (/AUTHENTICATIONFAILED|\[AUTH\]|^535/.test(line)) tally.wrong++
      else if (/UNAVAILABLE|SYS\/TEMP|^454/.test(line)) tally.later++
      const name =
        turn % 2 === 0
          ? (work.names[(turn >> 1) % work.names.length] ?? '')
          : `nobody${turn}@example.org`
      const said = over ? undefined : speaker?.(line, name, greeted)
      greeted = true
      if (said === undefined) continue
      turn++
      socket.write(`${said}\r\n`)
    }
  })
  socket.on('error', () => {})
  socket.on('end', () => socket.destroy())
  socket.on('close', () => {
    sockets.delete(socket)
    if (!connected) tally.failed++
    setTimeout(() => guess(work, n), connected ? 0 : 50)
  })
}

function end(): void {
  over = true
  for (const socket of sockets) socket.destroy()
}

// Whoever has started them is gone, were it by a signal: they do not guess for ever.
process.on('disconnect', end)
process.on('message', (work: Guessing | 'over') => {
  if (work === 'over') {
    end()
    process.send?.(tally)
    process.disconnect()
    return
  }
  for (let n = 0; n < work.connections; n++) guess(work, n)
})
process.send?.('ready')
