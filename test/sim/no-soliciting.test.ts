/** NO-SOLICITING in the town (RFC 3865): what a message says of itself is told on the way, and refused where it is not wanted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '../../src/server/settings/settings.ts'
import { createTown } from './town.ts'

const FIELD = 'Solicitation: net.example:ADV'

/** What becomes of a letter that says it solicits: what Bob finds, and what Alice is told. */
async function sent(theirs: Config, ours: Config = {}) {
  const town = await createTown({
    seed: 'soliciting',
    servers: [
      { domain: 'a.test', accounts: ['alice'], config: ours },
      { domain: 'b.test', accounts: ['bob'], config: theirs },
    ],
  })
  await town.send({ from: 'alice@a.test', to: ['bob@b.test'], fields: [FIELD] })
  await town.advance('1 minute')
  const read = async (address: string) => {
    const mail = await town.internet.complete(town.user(address).read())
    return mail.map(({ octets }) =>
      Buffer.from(octets).toString('latin1').replaceAll('\r\n\t', ' '),
    )
  }
  const [tried] = town.tries
  const outcome = tried?.recipients[0]?.outcome
  return { bob: await read('bob@b.test'), alice: await read('alice@a.test'), outcome }
}

test('§2.6, §2.7: its classes stand in Received of every server, and are told to who asks for them', async () => {
  const { bob, alice } = await sent({ listeners: { smtp: { with: ['NO-SOLICITING'] } } })
  assert.equal(bob[0]?.match(/ with \S+ \(SOLICIT=net\.example:ADV\) /g)?.length, 2)
  assert.match(bob[0] ?? '', /^Solicitation: net\.example:ADV\r$/m)
  assert.deepEqual(alice, [])
})

test('§2.1: a next hop that does not want it does not get it, and its sender is told', async () => {
  const { bob, alice } = await sent({ noSoliciting: ['net.example:ADV'] })
  assert.deepEqual(bob, [])
  assert.match(alice[0] ?? '', /^Status: 5\.7\.1\r$/m)
})

test('§2.3: where it is not wanted the field alone refuses it', async () => {
  const { bob, outcome } = await sent({}, { noSoliciting: ['net.example:ADV', 'x.y:Z'] })
  assert.deepEqual(bob, [])
  assert.deepEqual([outcome?.kind, outcome?.status], ['failed', '5.7.1'])
  assert.deepEqual(outcome?.reply?.lines, ['SOLICIT=net.example:ADV is not wanted here'])
})
