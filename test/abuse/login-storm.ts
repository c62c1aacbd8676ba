/**
 * Logins in numbers, at a server of its own: a flood of guesses over many connections while people who may log
 * in, and so many honest logins a second. The small form is abuse.test.ts; the whole is a command:
 *
 *   npm run logins                       2,000 guessing connections, each way; 200 logins a second of each mechanism
 *   npm run logins -- --connections 500 --times 2 --from few --rate 100 --seconds 5
 *
 * Who guesses and who may log in have a process each (storm/), so that neither waits for the other but at the server.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { clientMechanism } from '../../src/sasl/registry.ts'
import { stretching } from '../../src/sasl/scripted.ts'
import type { Dialogue } from '../kit/dialogue.ts'
import { clear, type DemoAccount, type Server, startServer } from '../kit/server.ts'
import type { Guessed, Guessing } from './storm/guessers.ts'
import type { Entered, Entry } from './storm/honest.ts'

/** Listeners that take passwords in the clear on loopback, so that most of the storm is of logins and not of TLS. */
export const STORM_SETTINGS = {
  'limits.perAddress': 6000,
  'limits.perNetwork': 6000,
  'limits.connections': 8000,
  'listeners.imap.plaintextAuth': true,
  'listeners.imap.address': '127.0.0.1',
  'listeners.pop3.plaintextAuth': true,
  'listeners.pop3.address': '127.0.0.1',
} as const

const DOORS = ['imap', 'imaps', 'pop3', 'pop3s', 'submission', 'submissions'] as const
export type Door = (typeof DOORS)[number]

/** Where the guesses come from: a few addresses, one of which known people log in from too; or many networks. */
export type From = 'few' | 'many'

const FEW = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4'] as const

function addresses(from: From, connections: number): readonly string[] {
  if (from === 'few') return FEW
  return Array.from({ length: connections }, (_, n) => `127.${1 + (n >> 8)}.${n & 255}.7`)
}

export interface Flood extends Guessed {
  readonly from: From
  readonly connections: number
  /** Of those who logged in from there before: while all guessers connect at once, and then. */
  readonly rush: readonly Entered[]
  readonly known: readonly Entered[]
  /** Of strangers, who must be hashed. */
  readonly strangers: readonly Entered[]
  readonly loopMs: number
}

export interface FloodOptions {
  readonly connections: number
  readonly from: From
  /** How often each door is tried by a known one and by a stranger. */
  readonly times: number
  /** The doors that are guessed at. */
  readonly at?: readonly string[]
  /** The doors of those who may come in. */
  readonly doors?: readonly Door[]
  /** How long the guessers take to come; the first of those who may comes meanwhile. */
  readonly rushMs?: number
}

/** Guesses without a pause over so many connections, while people log in at every door, one after the other. */
export async function flood(server: Server, options: FloodOptions): Promise<Flood> {
  const { connections, from, times, rushMs = 5000 } = options
  const { at = ['imap', 'pop3', 'submission'], doors = DOORS } = options
  const known = server.account(0)
  const strangers = await newcomers(server, times * doors.length)
  const guessers = await started('guessers')
  const honest = await started('honest')
  const enter = async (door: Door, account: DemoAccount, address: string) => {
    const entry: Entry = { door, port: server.port(door), from: address, ...account }
    honest.send(entry)
    const [entered] = (await once(honest, 'message')) as [Entered]
    if (entered.why !== undefined) throw new Error(`${door}: ${JSON.stringify(entered)}`)
    return entered
  }
  for (const door of doors) await enter(door, known, FEW[0])
  const work: Guessing = {
    ports: server.listeners as Readonly<Record<string, number>>,
    ...{ doors: at, connections, from: addresses(from, connections) },
    names: [known.address, ...strangers.map(({ address }) => address)],
  }
  guessers.send(work)
  const came = sleep(rushMs)
  await sleep(rushMs / 10)
  const rush: Entered[] = []
  for (const door of doors) rush.push(await enter(door, known, FEW[0]))
  await came
  await loopDelay(server)
  const entered: { known: Entered[]; strangers: Entered[] } = { known: [], strangers: [] }
  for (const [n, stranger] of strangers.entries()) {
    const door = doors[n % doors.length] ?? 'imap'
    entered.known.push(await enter(door, known, FEW[0]))
    entered.strangers.push(await enter(door, stranger, ELSEWHERE))
    await sleep(rushMs / 100)
  }
  const loopMs = await loopDelay(server)
  guessers.send('over')
  const [tally] = (await once(guessers, 'message')) as [Guessed]
  honest.disconnect()
  return { ...{ from, connections, ...tally }, ...entered, rush, loopMs }
}

/** Where nobody guesses from. */
const ELSEWHERE = '127.0.9.9'

async function started(name: 'guessers' | 'honest'): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL(`storm/${name}.ts`, import.meta.url)))
  await once(child, 'message')
  return child
}

/** Accounts that nobody has logged in to: each is hashed at its first login, and only then. */
async function newcomers(server: Server, count: number): Promise<readonly DemoAccount[]> {
  const made: DemoAccount[] = []
  for (let n = 0; n < count; n++) {
    const address = `stranger-${randomBytes(6).toString('hex')}@${server.domain}`
    const { out, err, code } = await server.run('account', 'add', address, '--json')
    if (code !== 0) throw new Error(err)
    made.push({ address, password: (JSON.parse(out) as { password: string }).password })
  }
  return made
}

export interface Steady {
  readonly mechanism: string
  readonly logins: number
  readonly perSecond: number
  readonly medianMs: number
  readonly worstMs: number
  readonly loopMs: number
}

/** So many logins a second over connections that are kept: each logs in and is made a stranger again (RFC 8437). */
export async function steady(
  server: Server,
  mechanism: 'PLAIN' | 'SCRAM-SHA-256',
  rate: number,
  seconds: number,
): Promise<Steady> {
  const account = server.account(0)
  const doors = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const dialogue = await server.connect('imap')
      await dialogue.line()
      return dialogue
    }),
  )
  for (const door of doors) await authenticate(door, mechanism, account)
  await loopDelay(server)
  const times: number[] = []
  const begun = performance.now()
  const due = (n: number) => begun + (n * 1000) / rate
  const total = rate * seconds
  const work = async (door: Dialogue, first: number) => {
    for (let n = first; n < total; n += doors.length) {
      const wait = due(n) - performance.now()
      if (wait > 0) await sleep(wait)
      times.push(await authenticate(door, mechanism, account))
    }
  }
  await Promise.all(doors.map(work))
  const tookS = (performance.now() - begun) / 1000
  const loopMs = await loopDelay(server)
  for (const door of doors) door.end()
  times.sort((a, b) => a - b)
  return {
    mechanism,
    logins: times.length,
    perSecond: Math.round(times.length / tookS),
    medianMs: times[times.length >> 1] ?? 0,
    worstMs: times.at(-1) ?? 0,
    loopMs,
  }
}

async function authenticate(
  door: Dialogue,
  name: 'PLAIN' | 'SCRAM-SHA-256',
  account: DemoAccount,
): Promise<number> {
  const from = performance.now()
  const mechanism = clientMechanism(name)
  if (mechanism === undefined) throw new Error(name)
  const rounds = stretching(
    mechanism.start(
      { username: account.address, password: account.password },
      {
        chance: octets => randomBytes(octets),
        offered: [name],
        hostname: 'localhost',
        service: 'imap',
      },
    ),
  )
  let said = rounds.next(new Uint8Array(0))
  const first = Buffer.from(said.value as Uint8Array).toString('base64')
  let answer = await door.ask(`a AUTHENTICATE ${name} ${first}`)
  while (answer.startsWith('+')) {
    said = rounds.next(Buffer.from(answer.slice(2), 'base64'))
    const response = said.value instanceof Uint8Array ? Buffer.from(said.value) : Buffer.alloc(0)
    answer = await door.ask(response.toString('base64'))
  }
  if (!answer.startsWith('a OK')) throw new Error(answer)
  const took = performance.now() - from
  const out = await door.ask('b UNAUTHENTICATE')
  if (!out.startsWith('b OK')) throw new Error(out)
  return took
}

/** The worst delay of the server's event loop since the last look, less the 20 ms of its own, ms. */
async function loopDelay(server: Server): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${server.port('http')}/metrics`)).text()
  const worst = /event_loop_delay_seconds\{quantile="1"\} (\S+)/.exec(text)?.[1]
  return Math.max(0, Number(worst) * 1000 - 20)
}

function summary(entered: readonly Entered[]): string {
  const sorted = entered.map(({ totalMs }) => totalMs).sort((a, b) => a - b)
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0)
  const later = entered.reduce((sum, each) => sum + each.later, 0)
  return `median ${at(0.5)} ms, worst ${(sorted.at(-1) ?? 0).toFixed(0)} ms of ${sorted.length}${later > 0 ? `, ${later} times told to come later` : ''}`
}

function worst(entered: readonly Entered[], count: number): readonly string[] {
  return entered
    .toSorted((a, b) => b.totalMs - a.totalMs)
    .slice(0, count)
    .map(({ door, totalMs, later, steps }) => {
      const each = Object.entries(steps).map(([name, ms]) => `${name} ${ms.toFixed(0)}`)
      return `${door} ${totalMs.toFixed(0)} ms${later > 0 ? ` (later: ${later})` : ''}: ${each.join(', ')}`
    })
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      connections: { type: 'string', default: '2000' },
      rate: { type: 'string', default: '200' },
      seconds: { type: 'string', default: '10' },
      times: { type: 'string', default: '5' },
      from: { type: 'string' },
      at: { type: 'string' },
      worst: { type: 'string', default: '3' },
    },
  })
  const say = (line: string) => process.stdout.write(`${line}\n`)
  const server = await startServer({ set: STORM_SETTINGS })
  const seconds = Number(values.seconds)
  if (seconds > 0)
    for (const mechanism of ['SCRAM-SHA-256', 'PLAIN'] as const) {
      const made = await steady(server, mechanism, Number(values.rate), seconds)
      const { logins, perSecond, medianMs, worstMs, loopMs } = made
      say(
        `${mechanism}: ${logins} logins, ${perSecond}/s, median ${medianMs.toFixed(1)} ms, worst ${worstMs.toFixed(0)} ms, event loop at most ${loopMs.toFixed(0)} ms late`,
      )
    }
  const ways: readonly From[] = values.from === undefined ? ['few', 'many'] : [values.from as From]
  for (const from of ways) {
    const made = await flood(server, {
      connections: Number(values.connections),
      from,
      times: Number(values.times),
      ...(values.at !== undefined && { at: values.at.split(',') }),
    })
    say(
      `flood of ${made.connections} connections from ${from === 'few' ? 'four addresses' : 'as many networks'}: ${made.wrong} guesses wrong, ${made.later} told to come later, ${made.connected} connections made, ${made.failed} failed`,
    )
    say(`  who logged in here before, while they all connect at once: ${summary(made.rush)}`)
    say(`  who logged in here before: ${summary(made.known)}`)
    for (const line of worst(made.known, Number(values.worst))) say(`    ${line}`)
    say(`  who comes from elsewhere, to be hashed: ${summary(made.strangers)}`)
    for (const line of worst(made.strangers, Number(values.worst))) say(`    ${line}`)
    say(`  event loop at most ${made.loopMs.toFixed(0)} ms late`)
  }
  await server.stop()
  clear()
}
