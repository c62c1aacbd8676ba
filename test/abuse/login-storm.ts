/**
 * Logins in numbers, at a server of its own: a flood of guesses over many connections while somebody who may logs
 * in, and so many honest logins a second. The small form is login-storm.test.ts; the whole is a command:
 *
 *   npm run logins                       2,000 guessing connections; 200 logins a second of each mechanism
 *   npm run logins -- --connections 500 --rate 100 --seconds 5
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { clientMechanism } from '../../src/sasl/registry.ts'
import { stretching } from '../../src/sasl/scripted.ts'
import type { Dialogue } from '../kit/dialogue.ts'
import { clear, type DemoAccount, type Server, startServer } from '../kit/server.ts'

/** A listener that takes passwords in the clear on loopback, so that the storm is of logins and not of TLS. */
export const STORM_SETTINGS = {
  'limits.perAddress': 6000,
  'limits.connections': 8000,
  'listeners.imap.plaintextAuth': true,
  'listeners.imap.address': '127.0.0.1',
} as const

export interface Flood {
  readonly connections: number
  /** Guesses that were answered, and those that were told to come later. */
  readonly wrong: number
  readonly later: number
  /** How long each honest login took, ms, in order. */
  readonly known: readonly number[]
  readonly fresh: readonly number[]
  readonly loopMs: number
}

/** Guesses without a pause over so many connections, while two people log in every 200 ms. */
export async function flood(server: Server, connections: number, seconds: number): Promise<Flood> {
  const known = server.account(0)
  const fresh = server.account(1)
  await login(server, known)
  const tally = { wrong: 0, later: 0 }
  let over = false
  const open = new Set<Dialogue>()
  const guess = async (n: number) => {
    while (!over) {
      try {
        const dialogue = await server.connect('imap')
        open.add(dialogue)
        await dialogue.line()
        for (let i = 0; i < 9 && !over; i++) {
          const name = i % 2 === 0 ? known.address : `nobody${n}@example.org`
          const answer = await dialogue.ask(`a LOGIN ${name} ${randomBytes(6).toString('hex')}`)
          if (answer.includes('AUTHENTICATIONFAILED')) tally.wrong++
          else tally.later++
        }
        dialogue.end()
        open.delete(dialogue)
      } catch {
        await sleep(50)
      }
    }
  }
  const storm = Array.from({ length: connections }, (_, n) => guess(n))
  await sleep(1000)
  await loopDelay(server)
  const times: { known: number[]; fresh: number[] } = { known: [], fresh: [] }
  const until = performance.now() + seconds * 1000
  while (performance.now() < until) {
    times.known.push(await login(server, known))
    times.fresh.push(await login(server, fresh, ELSEWHERE))
    await sleep(200)
  }
  const loopMs = await loopDelay(server)
  over = true
  for (const dialogue of open) dialogue.reset()
  await Promise.all(storm)
  return { connections, ...tally, ...times, loopMs }
}

/** Where nobody guesses from. */
const ELSEWHERE = '127.0.0.9'

/** One login over a connection of its own, TLS and all; how long it took, however often it was told to come later. */
async function login(server: Server, account: DemoAccount, from?: string): Promise<number> {
  const begun = performance.now()
  for (;;) {
    const dialogue = await server.connect('imaps', from === undefined ? {} : { from })
    await dialogue.line()
    const answer = await dialogue.ask(`a LOGIN ${account.address} ${account.password}`)
    dialogue.end()
    if (answer.startsWith('a OK')) return performance.now() - begun
    if (!answer.includes('UNAVAILABLE')) throw new Error(answer)
  }
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
  await login(server, account)
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

function summary(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0)
  return `median ${at(0.5)} ms, worst ${(sorted.at(-1) ?? 0).toFixed(0)} ms of ${sorted.length}`
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      connections: { type: 'string', default: '2000' },
      rate: { type: 'string', default: '200' },
      seconds: { type: 'string', default: '10' },
    },
  })
  const say = (line: string) => process.stdout.write(`${line}\n`)
  const server = await startServer({ set: STORM_SETTINGS })
  for (const mechanism of ['SCRAM-SHA-256', 'PLAIN'] as const) {
    const made = await steady(server, mechanism, Number(values.rate), Number(values.seconds))
    const { logins, perSecond, medianMs, worstMs, loopMs } = made
    say(
      `${mechanism}: ${logins} logins, ${perSecond}/s, median ${medianMs.toFixed(1)} ms, worst ${worstMs.toFixed(0)} ms, event loop at most ${loopMs.toFixed(0)} ms late`,
    )
  }
  const { wrong, later, known, fresh, loopMs } = await flood(
    server,
    Number(values.connections),
    Number(values.seconds),
  )
  say(
    `flood of ${values.connections} connections: ${wrong} guesses wrong, ${later} told to come later`,
  )
  say(`  who logged in here before: ${summary(known)}`)
  say(`  who comes from elsewhere, first to be hashed: ${summary(fresh)}`)
  say(`  event loop at most ${loopMs.toFixed(0)} ms late`)
  await server.stop()
  clear()
}
