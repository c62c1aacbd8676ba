/**
 * A provider keeps a customer's mail until it is asked for (ETRN, ATRN), in virtual time: it waits without
 * an attempt, comes when it is asked for, is given up when nobody asks; and whichever machine stops at
 * whichever commit, nothing is lost and nothing comes twice without a doubt.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { trace } from '../../src/record/trace.ts'
import type { Provider } from '../../src/server/fetcher.ts'
import type { Fetched } from '../../src/transport/fetch.ts'
import { judge, toldOf } from './oracle.ts'
import { passwordOf } from './residents.ts'
import { createTown, type Town } from './town.ts'

const CUSTOMER = 'customer@isp.test'

const way = {
  host: 'mx.isp.test',
  domains: [],
  tls: 'require' as const,
  every: 600_000,
  username: CUSTOMER,
  password: passwordOf(CUSTOMER),
}
const atrn: Provider = { ...way, by: 'atrn' }
const turn: Provider = { ...way, by: 'turn', port: 587 }
const etrn: Provider = {
  host: way.host,
  domains: ['home.test'],
  tls: 'require',
  every: 1,
  by: 'etrn',
}

/** alice@isp.test writes to bob@home.test, whose mail her provider keeps. */
function providerAndCustomer(seed: string): Promise<Town> {
  return createTown({
    seed,
    servers: [
      {
        domain: 'isp.test',
        accounts: ['alice', 'customer'],
        config: {
          onDemand: {
            'home.test': { accounts: [CUSTOMER], peers: ['192.0.2.2'] },
            'idle.test': { accounts: [CUSTOMER] },
            'other.test': { accounts: ['alice@isp.test'] },
          },
          listeners: { smtp: { with: ['ETRN'] }, submission: { with: ['TURN', 'ETRN'] } },
        },
      },
      { domain: 'home.test', accounts: ['bob'] },
    ],
  })
}

function ask(town: Town, provider: Provider): Promise<Fetched> {
  return town.internet.complete(town.server('home.test').fetcher.fetch(provider))
}

function codes({ answers }: Fetched): number[] {
  return answers.map(({ reply }) => reply.code)
}

async function countOf(town: Town, address: string): Promise<number> {
  return (await town.internet.complete(town.user(address).read())).length
}

async function write(town: Town, letters: number): Promise<void> {
  for (let i = 0; i < letters; i++)
    await town.send({ from: 'alice@isp.test', to: ['bob@home.test'] })
}

test('mail for a customer waits without an attempt until he takes it by ATRN', async () => {
  const town = await providerAndCustomer('atrn')
  assert.deepEqual(codes(await ask(town, atrn)), [453])
  await write(town, 3)
  await town.advance('2 days')
  assert.equal(town.server('home.test').commits, 0)
  const [row] = await waiting(town)
  assert.deepEqual([row?.state, row?.attempts], ['queued', 0])
  assert.match(row?.reason ?? '', /^kept until it is asked for/)
  const fetched = await ask(town, atrn)
  assert.deepEqual([codes(fetched), fetched.exchanged], [[250], true])
  assert.equal(await countOf(town, 'bob@home.test'), 3)
  assert.deepEqual(codes(await ask(town, atrn)), [453])
  assert.deepEqual(await judge(town), [])
})

async function waiting(town: Town) {
  const provider = town.server('isp.test')
  const [id] = [...provider.ledger.seenAt.keys()]
  const found = await town.internet.complete(provider.store.read(trace, id as string))
  return found?.recipients ?? []
}

test('TURN on the submission port takes the same mail', async () => {
  const town = await providerAndCustomer('turn')
  await write(town, 2)
  const fetched = await ask(town, turn)
  assert.deepEqual([codes(fetched), fetched.exchanged], [[250], true])
  assert.equal(await countOf(town, 'bob@home.test'), 2)
  assert.deepEqual(codes(await ask(town, turn)), [502])
  assert.deepEqual(await judge(town), [])
})

test('a verified certificate stands for a login, and is on record', async () => {
  const host = 'mx.isp.test'
  // In the town a certificate is its name, and roots are the names they vouch for (world/sim/tls.ts).
  const known = 'mx.home.test mx.other.test'
  const town = await createTown({
    seed: 'certificate',
    servers: [
      {
        domain: 'isp.test',
        accounts: ['alice'],
        config: {
          onDemand: { 'home.test': { certificates: ['mx.home.test'] } },
          listeners: { smtp: { with: ['TURN', 'ETRN'], clientCertificates: { roots: known } } },
        },
      },
      ...['home.test', 'other.test', 'stranger.test'].map(domain => ({
        domain,
        accounts: ['bob'],
        config: { outbound: { identity: { certificate: `mx.${domain}`, key: 'k' } } },
      })),
    ],
  })
  await write(town, 1)
  const turnOf = async (domain: string) => {
    const { fetcher } = town.server(domain)
    const provider: Provider = { host, domains: [], tls: 'require', every: 1, by: 'turn' }
    return codes(await town.internet.complete(fetcher.fetch(provider)))
  }
  assert.deepEqual(await turnOf('stranger.test'), [530])
  assert.deepEqual(await turnOf('other.test'), [502])
  assert.deepEqual(await turnOf('home.test'), [250])
  const [letter] = await town.internet.complete(town.user('bob@home.test').read())
  assert.match(
    Buffer.from(letter?.octets ?? '')
      .toString()
      .replaceAll(/\r\n\s+/g, ' '),
    /^Received: from mx\.isp\.test .* with ESMTPS \(TLSv1\.3 certificate mx\.isp\.test verified\)/m,
  )
})

test('REQUIRETLS: a password does not prove a host, so by ATRN it comes back; a verified certificate does', async () => {
  const asks = () => ({ requireTls: true as const })
  const town = await providerAndCustomer('require tls')
  await town.send({ from: 'alice@isp.test', to: ['bob@home.test'], asks })
  await ask(town, atrn)
  await town.advance('1 minute')
  assert.equal(await countOf(town, 'bob@home.test'), 0)
  const [notice] = await town.internet.complete(town.user('alice@isp.test').read())
  assert.match(Buffer.from(notice?.octets ?? '').toString(), /^Status: 5\.7\.30\r$/m)

  const proven = await createTown({
    seed: 'require tls, proven',
    servers: [
      {
        domain: 'isp.test',
        accounts: ['alice'],
        config: {
          onDemand: { 'home.test': { certificates: ['mx.home.test'] } },
          listeners: { smtp: { with: ['TURN'], clientCertificates: { roots: 'mx.home.test' } } },
        },
      },
      {
        domain: 'home.test',
        accounts: ['bob'],
        config: { outbound: { identity: { certificate: 'mx.home.test', key: 'k' } } },
      },
    ],
  })
  await proven.send({ from: 'alice@isp.test', to: ['bob@home.test'], asks })
  const { host } = way
  assert.deepEqual(
    codes(await ask(proven, { host, domains: [], tls: 'require', every: 1, by: 'turn' })),
    [250],
  )
  assert.equal(await countOf(proven, 'bob@home.test'), 1)
})

test('ETRN starts the delivery to the host of the customer', async () => {
  const town = await providerAndCustomer('etrn')
  assert.deepEqual(codes(await ask(town, etrn)), [251])
  await write(town, 3)
  await town.advance('1 hour')
  assert.deepEqual(codes(await ask(town, { ...etrn, domains: ['@test', 'home.test'] })), [253, 252])
  await town.advance('1 minute')
  assert.equal(await countOf(town, 'bob@home.test'), 3)
  assert.deepEqual(codes(await ask(town, etrn)), [251])
  assert.deepEqual(await judge(town), [])
})

test('nobody starts or takes what is not his', async () => {
  const town = await providerAndCustomer('rights')
  await write(town, 1)
  const start = (domains: string[]) => ask(town, { ...etrn, domains }).then(codes)
  assert.deepEqual(
    await start(['other.test', 'isp.test', '#queue', 'nowhere.test']),
    Array(4).fill(459),
  )
  const take = (domains: string[]) => ask(town, { ...atrn, domains }).then(codes)
  assert.deepEqual(await take(['other.test']), [450])
  assert.deepEqual(await take(['home.test', 'other.test']), [450])
  assert.deepEqual(await take(['nowhere.test']), [450])
  assert.deepEqual(await take(['idle.test']), [453])
  const wrong = await ask(town, { ...atrn, password: 'wrong' })
  assert.match(wrong.trouble ?? '', /535/)
  assert.deepEqual(await take(['HOME.test', 'home.test']), [250])
  assert.equal(await countOf(town, 'bob@home.test'), 1)
})

test('an ETRN for a customer who is away tries one load and leaves the rest where it is', async () => {
  const town = await providerAndCustomer('away')
  await write(town, 5)
  const [provider, customer] = [town.server('isp.test'), town.server('home.test')]
  // The ETRN comes from his address, but his port 25 cannot be reached.
  town.internet.network.faults.fate = ({ fromClient, to, port }) =>
    fromClient && to === customer.name && port === 25 ? 'reset' : 'deliver'
  const before = provider.commits
  assert.deepEqual(codes(await ask(town, etrn)), [253])
  await town.advance('5 seconds')
  assert.ok(provider.commits - before <= 2)
  town.internet.network.faults.fate = undefined
  await town.advance('6 hours')
  assert.equal(customer.commits, 0)
  assert.deepEqual(codes(await ask(town, etrn)), [253])
  await town.advance('1 minute')
  assert.equal(await countOf(town, 'bob@home.test'), 5)
  assert.deepEqual(await judge(town), [])
})

test('what nobody asks for is given up in the end, and its sender told', async () => {
  const town = await providerAndCustomer('forgotten')
  await write(town, 1)
  await town.advance('4 days')
  assert.equal(await countOf(town, 'alice@isp.test'), 0)
  await town.advance('2 days')
  const notices = await town.internet.complete(town.user('alice@isp.test').read())
  const told = notices.flatMap(({ octets }) => toldOf(Buffer.from(octets).toString(), 'failed'))
  assert.deepEqual(told, ['bob@home.test'])
  assert.deepEqual(await judge(town), [])
})

for (const [name, provider] of Object.entries({ atrn, etrn })) {
  for (const side of ['isp.test', 'home.test']) {
    test(`by ${name}, with ${side} stopping at any commit, nothing is lost`, async () => {
      let crashes = 0
      for (let at = 1; at <= 4; at++) {
        for (const when of ['before commit', 'after commit'] as const) {
          const town = await providerAndCustomer(`${name} ${side} ${at} ${when}`)
          await write(town, 3)
          await town.advance('1 hour')
          const victim = town.server(side)
          const from = victim.commits
          victim.faultAt = commit => (commit === from + at ? { at: when, how: 'crash' } : undefined)
          for (let tries = 0; tries < 6; tries++) {
            const { fetcher, isUp } = town.server('home.test')
            // A customer whose machine has stopped asks for nothing.
            if (isUp) void fetcher.fetch(provider)
            await town.advance('10 minutes')
          }
          crashes += victim.crashes.length
          const copies = await countOf(town, 'bob@home.test')
          assert.ok(copies >= 3 && copies <= 4, `${at} ${when}: ${copies} copies`)
          assert.deepEqual(await judge(town), [], `${at} ${when}`)
        }
      }
      assert.ok(crashes >= 6)
    })
  }
}
