/**
 * `npm run torture`: the crash and abuse tests in full size, some minutes long. With words, only the
 * parts whose names have one of them (`npm run torture -- kill lines`); `endure` goes on for `--minutes` and
 * adds up with `--resume`; words behind it choose its blows. Prints a line for each part
 * with what was seen and the server's memory; ends with 1 if one of them failed.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import * as abuse from '../abuse/abuse.ts'
import { longAway, storm } from '../cluster/storm.ts'
import { clear, type Server, startServer } from '../kit/server.ts'
import { haveRivals, postfixAndDovecot, postrider } from './contestants.ts'
import { endure } from './endure.ts'
import { killUnderLoad } from './kill.ts'
import { stand } from './rivals.ts'
import { badWire } from './wire.ts'

const MB = 1024 * 1024
const GB = 1024 * MB

interface Part {
  readonly name: string
  /** The most the server may hold, MB. */
  readonly mostMb: number
  readonly run: (server: Server) => Promise<unknown>
}

const lines: readonly Part[] = abuse.DOORS.map(door => ({
  name: `lines: 1 GB without an end at ${door}`,
  mostMb: 250,
  run: async server => ({ tookMb: (await abuse.endlessLine(server, door, GB)) / MB }),
}))

const parts: readonly Part[] = [
  ...lines,
  {
    name: 'commands: a million, tiny, pipelined',
    mostMb: 250,
    run: async server => ({
      noop: await abuse.tinyCommands(server, 'smtp', 'NOOP', 1_000_000),
      empty: await abuse.tinyCommands(server, 'smtp', '', 1_000_000),
      pop: await abuse.tinyCommands(server, 'pop3', 'CAPA', 100_000),
    }),
  },
  {
    name: 'recipients: 10,000',
    mostMb: 250,
    run: server => abuse.manyRecipients(server, 10_000),
  },
  { name: 'header: 100 MB', mostMb: 250, run: server => abuse.hugeHeader(server, 100 * MB) },
  {
    name: 'large: twenty messages of 25 MB at once',
    mostMb: 250,
    run: async server => {
      const codes = await abuse.largeAtOnce(server, 20, 25e6)
      assert.deepEqual(codes, Array(20).fill(250))
    },
  },
  {
    name: 'chunks: 100,000 of one octet',
    mostMb: 250,
    run: server => abuse.tinyChunks(server, 100_000),
  },
  { name: 'loris: 1,500 crawling', mostMb: 350, run: server => abuse.slowLoris(server, 1500) },
  {
    name: 'flood: 2,200 connections where 2,000 are allowed',
    mostMb: 300,
    run: server => abuse.connectionFlood(server, 2200),
  },
  {
    name: 'handshakes: 500 that stop in the middle',
    mostMb: 300,
    run: server => abuse.stoppedHandshakes(server, 500),
  },
  {
    name: 'cuts: 1,000, at every phase',
    mostMb: 300,
    run: async server => {
      await abuse.cuts(server, 1000)
      for (let tries = 0; (await abuse.sessions(server)) > 0; tries++) {
        assert.ok(tries < 100, 'sessions are left')
        await sleep(50)
      }
    },
  },
  {
    name: 'reader: 25 MB to one who does not read',
    mostMb: 250,
    run: async server => {
      await abuse.largeAtOnce(server, 1, 25e6)
      await sleep(1000)
      const reader = await abuse.stalledReader(server)
      await sleep(2000)
      const { now } = server.memory()
      reader.end()
      return { whileStalledMb: Math.round(now) }
    },
  },
  { name: 'noise: random octets at every door', mostMb: 300, run: s => abuse.noise(s, 10_000) },
]

async function abusePart({ mostMb, run }: Part): Promise<string> {
  const server = await startServer({
    set: {
      'limits.perAddress': 2000,
      'listeners.lmtp.enabled': true,
      'limits.messageSize': '120MB',
    },
  })
  await abuse.oneMessage(server)
  await server.mail(server.account(0))
  const descriptors = server.descriptors() + 3
  const before = Math.round(server.memory().peak)
  const result = await run(server)
  await abuse.unharmed(server, descriptors)
  const peak = Math.round(server.memory().peak)
  assert.equal((await server.stop()).code, 0)
  const told = `${JSON.stringify(result) ?? ''} peak ${peak} MB (${before} before)`
  assert.ok(peak < mostMb, `${told}: more than ${mostMb} MB`)
  return told
}

async function killPart(): Promise<string> {
  const report = await killUnderLoad({
    rounds: 12,
    senders: 12,
    workMs: [50, 1500],
    random: Math.random,
    killStarts: true,
  })
  assert.equal(report.stagedLeft, 0)
  return JSON.stringify(report)
}

/** Twenty megabytes are under way for long: most kills fall into the midst of some. */
async function largeKillPart(): Promise<string> {
  const report = await killUnderLoad({
    rounds: 15,
    senders: 3,
    workMs: [100, 1_200],
    random: Math.random,
    sizes: [20 * MB, 20 * MB, 3_000, 20 * MB, 140_000],
    chunkOctets: 256 * 1024,
  })
  assert.equal(report.stagedLeft, 0)
  return JSON.stringify(report)
}

/** Others are told of; of us it is asserted. */
async function rivalPart(rounds: number, diskMb?: number): Promise<string> {
  const told: string[] = []
  for (const who of haveRivals() ? [postrider, postfixAndDovecot] : [postrider]) {
    const report = await stand(who, {
      rounds,
      random: Math.random,
      ...(diskMb === undefined ? {} : { diskMb }),
    })
    const { lost, lostRemote, twice, spoilt, strange } = report
    if (who === postrider) {
      assert.deepEqual({ lost, lostRemote, twice, spoilt, strange }, NOTHING_WRONG)
    }
    told.push(`\n  ${who.name}: ${JSON.stringify(report)}`)
  }
  return told.join('')
}

const NOTHING_WRONG = { lost: 0, lostRemote: 0, twice: 0, spoilt: 0, strange: 0 }

async function wirePart(): Promise<string> {
  return JSON.stringify(await badWire({ seconds: 30, random: Math.random }))
}

const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    /** How long the part `endure` goes on. */
    minutes: { type: 'string', default: '3' },
    /** Adds what `endure` has done to the totals of other times. */
    resume: { type: 'boolean', default: false },
  },
})

const home = process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state')
const totals = process.env['POSTRIDER_TORTURE_STATE'] ?? join(home, 'postrider', 'torture.json')

async function endurePart(): Promise<string> {
  const report = await endure({
    minutes: Number(values.minutes),
    random: Math.random,
    words: words.filter(word => word !== 'endure'),
    tell: line => console.log(`  ${line}`),
  })
  if (!values.resume) return JSON.stringify(report)
  const sum = added(existsSync(totals) ? JSON.parse(readFileSync(totals, 'utf8')) : {}, report)
  mkdirSync(dirname(totals), { recursive: true })
  writeFileSync(totals, `${JSON.stringify(sum)}\n`)
  return `${JSON.stringify(report)}; in all ${JSON.stringify(sum)}`
}

/** Numbers by name, and those within, added. */
function added(before: Record<string, unknown>, now: object): Record<string, unknown> {
  const sum: Record<string, unknown> = { ...before }
  for (const [name, value] of Object.entries(now)) {
    const old = before[name]
    sum[name] =
      typeof value === 'number'
        ? value + (typeof old === 'number' ? old : 0)
        : added((old ?? {}) as Record<string, unknown>, value as object)
  }
  return sum
}

const all: readonly (readonly [string, () => Promise<string>])[] = [
  ['kill: 12 times under load, and 11 starts', killPart],
  ['kill: 15 times under 20 MB in many chunks', largeKillPart],
  ['rivals: Postrider, and Postfix with Dovecot, killed 15 times', () => rivalPart(15)],
  ['rivals: the same on a disk that fills, is read-only, loses power', () => rivalPart(15, 256)],
  ['wire: a next hop that flaps, a name server that is silent, fails and lies', wirePart],
  ['endure: everything that befalls a process and its disk', endurePart],
  ['cluster: three nodes on one PostgreSQL, 40 faults', () => storm(40)],
  ['cluster: a node without its database for a minute', () => longAway('pulled')],
  ['cluster: a node that sleeps for a minute', () => longAway('stopped')],
  ...parts.map(part => [part.name, () => abusePart(part)] as const),
]
for (const [name, run] of all) {
  if (words.length > 0 && !words.some(word => name.includes(word))) continue
  const from = performance.now()
  const result = await run().catch((error: unknown) => {
    process.exitCode = 1
    return `FAILED: ${error instanceof Error ? error.message : String(error)}`
  })
  console.log(`${name}: ${result} (${((performance.now() - from) / 1000).toFixed(1)} s)`)
  clear()
}
