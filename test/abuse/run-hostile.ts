/**
 * `npm run hostile [-- ATTACK ... --seconds S --scale N]`: every attack of attacker/ in full size against a real
 * server, one after the other, while somebody sends and reads mail. Prints a row for each: how long that took
 * the user beside how long it takes without an attack, and the memory.
 */
import { parseArgs } from 'node:util'
import { clear, startServer } from '../kit/server.ts'
import { attacks } from './attacker/table.ts'
import { Attackers, attacked, DESCRIPTORS_MAX, quiet, User } from './hostile.ts'

const MOST_MB = 600
/** On a machine that does nothing else, p99 at most doubles; ms below which nobody would notice. */
const FACTOR_MAX = 2
const UNNOTICED_MS = 50

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '10' },
    scale: { type: 'string', default: '10' },
  },
})
const [ms, scale] = [Number(values.seconds) * 1000, Number(values.scale)]

const server = await startServer({
  set: {
    'limits.connections': 20_000,
    'limits.perAddress': 10_000,
    'listeners.imap.enabled': true,
  },
})
const user = new User(server)
const attackers = await Attackers.start(server)
const row = (cells: readonly (string | number)[]) => console.log(`| ${cells.join(' | ')} |`)
let good = true
await quiet(user, 3000)
row([
  'attack',
  'p50 ms',
  'p99 ms',
  'without: p99 ms',
  'not served',
  'peak MB',
  'MB after (heap + outside)',
  'did',
])
row(Array(8).fill('---'))
for (const { name } of attacks) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  await attackers.prepare(name, scale)
  // For as long as the attack, so that both have as many uses to find their worst among.
  const without = await quiet(user, ms)
  const report = await attacked(server, user, attackers, { name, ms, scale })
  const { latency, peakMb, rest, tally, descriptors } = report
  const slow = latency.p99 > Math.max(UNNOTICED_MS, FACTOR_MAX * without.p99)
  const wrong = slow || latency.failed > 0 || peakMb > MOST_MB || descriptors > DESCRIPTORS_MAX
  good &&= !wrong
  row([
    wrong ? `**${name}**` : name,
    latency.p50.toFixed(0),
    latency.p99.toFixed(0),
    without.p99.toFixed(0),
    `${latency.failed} of ${latency.failed + latency.count}`,
    peakMb.toFixed(0),
    `${rest.allMb.toFixed(0)} (${rest.heapMb.toFixed(0)} + ${rest.externalMb.toFixed(0)})${descriptors > DESCRIPTORS_MAX ? `, ${descriptors} descriptors` : ''}`,
    Object.entries(tally)
      .map(([what, count]) => `${count} ${what}`)
      .join(', '),
  ])
}
attackers.end()
user.end()
await server.stop()
clear()
process.exit(good ? 0 : 1)
