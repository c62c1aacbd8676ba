/**
 * The quick form of `npm run hostile`: some attacks for a moment each, against one server, with somebody at work
 * meanwhile. That he is served is asserted here; how soon, only roughly: this machine does other things too.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { clear, type Server, startServer } from '../kit/server.ts'
import { Attackers, attacked, DESCRIPTORS_MAX, quiet, User } from './hostile.ts'

const MOST_MB = 350
const MOST_MS = 8000
/** One of each kind; the others are as dear to run, and show less in so short a time. */
const NAMES = ['slow-loris', 'command-flood', 'literals', 'broken-handshakes', 'mime-bomb']

let server: Server
let user: User
let attackers: Attackers

before(async () => {
  server = await startServer({
    set: { 'limits.perAddress': 400, 'limits.connections': 800, 'listeners.imap.enabled': true },
  })
  user = new User(server)
  attackers = await Attackers.start(server)
  await quiet(user, 200)
})
after(async () => {
  attackers.end()
  user.end()
  assert.equal((await server.stop()).code, 0)
  clear()
})

for (const name of NAMES) {
  test(`${name}: others are served meanwhile, and everything is given back`, async context => {
    const report = await attacked(server, user, attackers, { name, ms: 300, scale: 1 })
    context.diagnostic(JSON.stringify(report))
    assert.equal(report.latency.failed, 0)
    assert.ok(report.latency.count > 0 && report.latency.p50 < MOST_MS)
    assert.ok(report.peakMb < MOST_MB, `${report.peakMb} MB`)
    assert.ok(
      report.descriptors <= DESCRIPTORS_MAX,
      `${report.descriptors} descriptors more than before`,
    )
  })
}
