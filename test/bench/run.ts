/**
 * `npm run bench`: first the goals, Postrider beside Postfix and a bare receiver, by the same load, in interleaved
 * pairs, with what a message costs, and memory; then the table, with every other server that can be had.
 *
 *   npm run bench                   everything, some forty minutes
 *   npm run bench -- --quick        a look: fewer pairs, messages and cells
 *   npm run bench -- --only relay   cells whose name holds the word; `table` is the table, `goal` all else
 *   npm run bench -- --only deferred --deferred 1000000   with so many others in the queue
 *   npm run bench -- --docs         writes the table into docs/performance.md
 *   npm run bench -- --deep         a queue and a mailbox grow to a million
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { databaseCell, type StoreName } from './cell/database.ts'
import { deferredCell } from './cell/deferred.ts'
import { drain } from './cell/drain.ts'
import { idleSessions, largeMessages, longQueue } from './cell/memory.ts'
import { type Rates, rateCell } from './cell/rate.ts'
import { readCell } from './cell/read.ts'
import { readersCell } from './cell/readers.ts'
import { machine, tools } from './machine.ts'
import type { Measured } from './measure.ts'
import { formatSpread, ratios, spread } from './pairs.ts'
import { CELLS, FULL, QUICK, RELAYED } from './plan.ts'
import type { Memory } from './proc.ts'
import { tableCells } from './table/run.ts'

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    pairs: { type: 'string' },
    deferred: { type: 'string' },
    docs: { type: 'boolean', default: false },
    deep: { type: 'boolean', default: false },
  },
})
const depth = {
  ...(flags.quick ? QUICK : FULL),
  ...(flags.pairs === undefined ? {} : { pairs: Number(flags.pairs) }),
  ...(flags.deferred === undefined ? {} : { deferred: Number(flags.deferred) }),
}
const say = (line: string) => process.stdout.write(`${line}\n`)
const wanted = (name: string) => `goal ${name}`.includes(flags.only)

function judged(met: boolean | undefined): string {
  return met === undefined ? '' : met ? ', met' : ', NOT MET'
}

function tellRates({ cell, runs, rssMb, peakMb }: Rates): void {
  const of = (name: keyof typeof runs, what: keyof Measured) =>
    runs[name].flatMap(run => run[what] ?? [])
  const rate = (name: keyof typeof runs) => formatSpread(spread(of(name, 'rate')), 0)
  say(`\n${cell.name}`)
  say(`  messages/s   ours ${rate('ours')}  Postfix ${rate('postfix')}  bare ${rate('bare')}`)
  const toPostfix = spread(ratios(of('ours', 'rate'), of('postfix', 'rate')))
  const met = toPostfix && toPostfix.median >= cell.goal
  say(`  ratio to Postfix ${formatSpread(toPostfix, 2)}  goal ${cell.goal}${judged(met)}`)
  if (cell.bareGoal !== undefined) {
    const toBare = spread(ratios(of('ours', 'rate'), of('bare', 'rate')))
    const bareMet = toBare && toBare.median >= cell.bareGoal
    say(`  ratio to bare    ${formatSpread(toBare, 2)}  goal ${cell.bareGoal}${judged(bareMet)}`)
  }
  const cost = (what: keyof Measured, digits: number) =>
    formatSpread(spread(of('ours', what)), digits)
  say(`  a message costs  ${cost('writeCalls', 2)} write calls, ${cost('writeOctets', 0)} octets`)
  say(
    `                   written (${cost('diskOctets', 0)} to disk), ${cost('commits', 3)} commits`,
  )
  const cpu = (name: keyof typeof runs) => formatSpread(spread(of(name, 'cpuPer1000')), 3)
  say(`  CPU s/1000       ours ${cpu('ours')}  Postfix ${cpu('postfix')}  bare ${cpu('bare')}`)
  const held = cell.work === 'relay' ? `  goal 400 MB${judged(peakMb < 400)}` : ''
  say(`  RSS behind it    ${rssMb.toFixed(0)} MB, at its peak ${peakMb.toFixed(0)} MB${held}`)
}

/** What others in the queue cost those that are relayed. */
async function deferredCells(root: string): Promise<void> {
  const { deferred, pairs } = depth
  const name = `relay 1 KB with ${deferred} others deferred`
  if (!wanted(name)) return
  const load = { ...RELAYED, messages: Math.round(8_000 * depth.share) }
  const { alone, behind, peakMb, readyMs } = await deferredCell(root, load, deferred, pairs)
  const shown = (rates: readonly number[]) => formatSpread(spread(rates), 0)
  const left = spread(ratios(behind, alone))
  say(`\n${name}`)
  say(`  messages/s   with them ${shown(behind)}  without ${shown(alone)}`)
  say(`  of the rate  ${formatSpread(left, 2)}  goal 0.85${judged(left && left.median > 0.85)}`)
  say(
    `  ready in ${readyMs.toFixed(0)} ms; peak RSS ${peakMb.toFixed(0)} MB  goal 400 MB${judged(peakMb < 400)}`,
  )
}

function tellMemory(name: string, of: number, memory: Memory, limitMb: number): void {
  const shown = (mb: number) => `${mb.toFixed(0)} MB`
  say(`\n${name}`)
  say(
    `  RSS ${shown(memory.rssMb)}, PSS ${shown(memory.pssMb)}, peak RSS ${shown(memory.peakMb)}  goal ${limitMb} MB${judged(of < limitMb)}`,
  )
}

/** Both stores in one run: the goals of several nodes on one database. */
async function storeCell(root: string): Promise<void> {
  if (!wanted('stores deliver 1 KB')) return
  const messages = Math.round(8_000 * depth.share)
  const runs = await databaseCell(root, messages, depth.pairs, able.postfix)
  if (!runs) {
    say('\nskipped: no PostgreSQL runs here')
    return
  }
  const of = (name: StoreName) => runs.get(name) ?? []
  const rates = (name: StoreName) => of(name).map(run => run.rate)
  say('\nstores deliver 1 KB, 20 kept sessions in all')
  for (const name of runs.keys()) {
    const node = spread(of(name).map(run => run.nodeCpu))
    const database = spread(of(name).map(run => run.databaseCpu))
    say(
      `  ${name.padEnd(9)}  ${formatSpread(spread(rates(name)), 0)} messages/s, CPU s/1000: ` +
        `${formatSpread(node, 3)} nodes, ${formatSpread(database, 3)} database`,
    )
  }
  const tell = (what: string, ours: StoreName, theirs: StoreName, goal: number) => {
    const ratio = spread(ratios(rates(ours), rates(theirs)))
    const met = ratio && ratio.median >= goal
    say(`  ${what} ${formatSpread(ratio, 2)}  goal ${goal}${judged(met)}`)
  }
  tell('one node to Postfix', 'one node', 'postfix', 4)
  tell('one node to SQLite', 'one node', 'sqlite', 0.35)
  tell('two nodes to one', 'two nodes', 'one node', 0.85)
}

/** Reading beside Dovecot: a ratio is their time by ours. */
async function readCells(root: string): Promise<void> {
  if (!wanted('read a mailbox beside Dovecot')) return
  const messages = Math.round(10_000 * depth.share)
  const runs = await readCell(root, messages, depth.pairs)
  if (runs === undefined) {
    say('\nskipped: no Dovecot with IMAP, POP3 and LMTP is installed')
    return
  }
  const [ours, theirs] = runs.delivered
  say(`\nread a mailbox of ${messages} messages of 4 KB beside ${runs.name}`)
  say(
    `  by LMTP, messages/s: ours ${ours.toFixed(0)}, theirs ${theirs.toFixed(0)}, ` +
      `ratio ${(ours / theirs).toFixed(2)}  goal 4${judged(ours >= 4 * theirs)}`,
  )
  for (const { work, oursMs, theirsMs } of runs.times) {
    const ratio = spread(ratios(theirsMs, oursMs))
    say(
      `  ${work.name.padEnd(42)} ms: ours ${formatSpread(spread(oursMs), 0)}, theirs ` +
        `${formatSpread(spread(theirsMs), 0)}; ratio ${formatSpread(ratio, 2)}  goal ${work.goal}` +
        judged(ratio && ratio.median >= work.goal),
    )
  }
}

/** Dead and tarpitting destinations among healthy ones, beside the same without them. */
async function drainCell(root: string): Promise<void> {
  if (!wanted('drain')) return
  const messages = Math.round(20_000 * depth.share)
  const destinations = messages / 10
  say(
    `\ndrain ${messages} messages to ${destinations} destinations, 20 % of them dead or tarpitting`,
  )
  const slower: number[] = []
  let peakMb = 0
  for (let pair = 0; pair < Math.min(3, depth.pairs); pair++) {
    const well = await drain(root, { messages, destinations, sick: 0 })
    const ill = await drain(root, { messages, destinations, sick: 0.2 })
    // There are fewer healthy ones among the ill: the time is compared message by message.
    slower.push(ill.seconds / 0.8 / well.seconds)
    peakMb = Math.max(peakMb, ill.peakMb)
    say(`  ${well.seconds.toFixed(1)} s all healthy; ${ill.seconds.toFixed(1)} s the healthy ones`)
  }
  const ratio = spread(slower)
  say(
    `  ratio by message ${formatSpread(ratio, 2)}  goal 1.5${judged(ratio && ratio.median <= 1.5)}`,
  )
  say(`  peak RSS ${peakMb.toFixed(0)} MB  goal 400 MB${judged(peakMb < 400)}`)
}

/** Many who read, and one who reads much. */
async function readerCells(root: string): Promise<void> {
  // A look leaves it out, unless it is asked for by name.
  if (!wanted('many readers by IMAP') || (flags.quick && flags.only === '')) return
  const of = await readersCell(root)
  const kb = (value: number) => `${value.toFixed(1)} KB`
  say('\nmany readers by IMAP: 1,000 sessions in IDLE')
  say(`  in the clear ${kb(of.clearKb)} each  goal 40${judged(of.clearKb < 40)}`)
  const beyond = of.tlsKb - of.bareTlsKb
  say(
    `  over TLS ${kb(of.tlsKb)} each, a bare node:tls ${kb(of.bareTlsKb)}: ${kb(beyond)} more  ` +
      `goal 40${judged(beyond < 40)}`,
  )
  const push = Math.max(...of.pushMs)
  say(`  IDLE tells ${formatSpread(spread(of.pushMs), 1)} ms behind  goal 100${judged(push < 100)}`)
  say(
    `  a mailbox of ${of.messages}: opened in ${of.coldOpenMs.toFixed(0)} ms by a fresh process, then ` +
      `${formatSpread(spread(of.openMs), 1)} ms  goal 100${judged(of.coldOpenMs < 100)}`,
  )
  say(
    `  all its flags in ${formatSpread(spread(of.flagsMs), 0)} ms; a session on it ${kb(of.largeKb)}`,
  )
}

async function memoryCells(root: string): Promise<void> {
  if (wanted('memory large')) {
    const large = await largeMessages(root)
    tellMemory('memory large: twenty messages of 25 MB at once', large.peakMb, large, 250)
  }
  if (wanted('memory idle')) {
    const idle = await idleSessions(root, 5_000)
    tellMemory('memory idle: 5,000 sessions after EHLO', idle.rssMb, idle, 130)
  }
  if (wanted('memory queue')) {
    const name = `memory queue: start with ${depth.queued} messages queued`
    const queue = await longQueue(root, depth.queued)
    tellMemory(name, queue.settled.peakMb, queue.settled, 250)
    say(`  ready in ${queue.readyMs.toFixed(0)} ms  goal 2000 ms${judged(queue.readyMs < 2_000)}`)
  }
}

/** Tells how long it took; what took no time was not wanted. */
async function timed(cells: () => Promise<void>): Promise<void> {
  const from = performance.now()
  await cells()
  const seconds = (performance.now() - from) / 1000
  if (seconds > 0.1) say(`  (${seconds.toFixed(0)} s)`)
}

const begun = performance.now()
const able = await tools()
say(await machine())
for (const why of able.missing) say(`skipped: ${why}`)
// Signals end it as an end does: what it has started and laid out goes with it (program.ts).
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
if (able.load) {
  const root = mkdtempSync(join(process.env['BENCH_DIRECTORY'] ?? tmpdir(), 'postrider-bench-'))
  // Postfix's processes give root away and must still reach their folders below.
  chmodSync(root, 0o755)
  process.on('exit', () => rmSync(root, { recursive: true, force: true, maxRetries: 3 }))
  try {
    for (const cell of CELLS) {
      if (!wanted(cell.name) || (flags.quick && !cell.quick)) continue
      await timed(async () => tellRates(await rateCell(cell, depth, root, able.postfix)))
    }
    const others = [deferredCells, storeCell, drainCell, readCells, readerCells, memoryCells]
    for (const cells of others) {
      await timed(() => cells(root))
    }
    await tableCells(root, flags, able.postfix, say)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
  say(`\n${((performance.now() - begun) / 60_000).toFixed(1)} minutes`)
}
