/** One connection under every limit: what its peer hears, and who hears nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Limits, noLimits, scriptedNode } from '../../test/kit/visits.ts'

const PEER = '192.0.2.1'
const minute = (count: number) => ({ count, perMs: 60_000 })
const only = (rates: Partial<Limits['rates']>) => ({ rates: { ...noLimits.rates, ...rates } })
const denied = { kind: 'denied', why: '' } as const
const joe = { kind: 'account', account: { id: 1, address: 'joe@a.test' } } as const

test('too many connections in a minute are turned away until it is over, loopback never', async () => {
  const { come, internet, turnedAway } = await scriptedNode(only({ connections: minute(2) }))
  const kinds = () => come(PEER).admission.kind
  assert.deepEqual([kinds(), kinds(), kinds()], ['welcome', 'welcome', 'turned'])
  assert.equal(come('192.0.2.2').admission.kind, 'welcome')
  for (let i = 0; i < 9; i++) assert.equal(come('127.0.0.1').admission.kind, 'welcome')
  await internet.advance(60_000)
  assert.equal(kinds(), 'welcome')
  assert.deepEqual(turnedAway, ['by="rate"'])
})

test('a place is free again when its holder is gone, and he who was another has his own', async () => {
  const { come, visits } = await scriptedNode({ perAddress: 1 })
  const { visit } = come(PEER)
  assert.equal(come(PEER).admission.kind, 'turned')
  // XCLIENT: from here on it is somebody else's connection.
  assert.equal(visit.admission('192.0.2.7').kind, 'welcome')
  assert.equal(come(PEER).admission.kind, 'welcome')
  assert.equal(come('192.0.2.7').admission.kind, 'turned')
  visits.end(visit)
  assert.equal(come('192.0.2.7').admission.kind, 'welcome')
})

test('errors cost more and more time up to the most, and who has logged in none', async () => {
  const tarpit = { after: 2, first: 1000, longest: 2500 }
  const { come } = await scriptedNode({ tarpit })
  const { visit } = come(PEER)
  const wait = () => visit.noted('mistake')
  assert.deepEqual([wait(), wait(), wait(), wait(), wait()], [0, 0, 1000, 2000, 2500])
  visit.answered('password', joe)
  assert.equal(wait(), 0)
  const here = come('127.0.0.1').visit
  assert.deepEqual(
    [1, 2, 3, 4].map(() => here.noted('mistake')),
    [0, 0, 0, 0],
  )
})

test('errors of a crowd wait for one another, from exempt addresses too, and who has logged in does not', async () => {
  const { come, visits } = await scriptedNode()
  const crowd = Array.from({ length: 100 }, () => come('127.0.0.1').visit)
  const waits = crowd.map(visit => visit.noted('mistake'))
  assert.deepEqual([waits[0], waits[49], waits[99]], [0, 0, 500])
  const member = come('127.0.0.1').visit
  member.answered('password', joe)
  assert.equal(member.noted('mistake'), 0)
  for (const visit of crowd) visits.end(visit)
  assert.equal(come('127.0.0.1').visit.noted('mistake'), 0)
})

test('what came to nothing on a connection is counted, by whatever mechanism', async () => {
  const { come } = await scriptedNode()
  const { visit } = come('127.0.0.1')
  visit.answered('password', denied)
  visit.answered('scram', { kind: 'secret', secrets: [] })
  visit.answered('password', joe)
  assert.equal(visit.tries, 2)
  visit.later()
  assert.equal(visit.tries, 3)
})

test('wrong logins ban the address, its sessions end, and the next one is turned away', async () => {
  const { come, bans } = await scriptedNode({ loginFailures: 2 })
  const [first, second] = [come(PEER), come(PEER)]
  first.visit.answered('password', denied, 1)
  first.visit.answered('password', denied, 1)
  assert.deepEqual(first.said, [])
  second.visit.answered('password', denied, 2)
  assert.deepEqual(second.said, ['failed logins'])
  assert.equal(first.visit.mayLogIn(), false)
  const { admission } = come(PEER)
  assert.equal(admission.kind === 'turned' && admission.by, 'ban')
  assert.equal(bans.of(PEER)?.reason, 'failed logins')
  assert.equal(bans.of('192.0.2.2'), undefined)
})

test('keys that were told and never proven are a wrong login, once', async () => {
  const { come, bans } = await scriptedNode({ loginFailures: 2 })
  const keys = { kind: 'secret', secrets: [] } as const
  const { visit } = come(PEER)
  for (let i = 0; i < 9; i++) {
    visit.answered('scram', keys)
    visit.answered('proven', joe)
  }
  assert.equal(bans.of(PEER), undefined)
  visit.answered('scram', keys)
  visit.answered('scram', keys)
  visit.end()
  assert.equal(bans.of(PEER)?.reason, 'failed logins')
})

test('guessing at recipients and too many errors ban; who has logged in may do both', async () => {
  const rates = only({ badRecipients: minute(3), errors: minute(3) })
  const { come, bans } = await scriptedNode(rates)
  const harvest = come(PEER)
  for (let i = 0; i < 4; i++) harvest.visit.unknownRecipient()
  assert.equal(bans.of(PEER)?.reason, 'guessing at recipients')
  const noise = come('192.0.2.2')
  for (let i = 0; i < 4; i++) noise.visit.noted('mistake')
  assert.equal(bans.of('192.0.2.2')?.reason, 'too many errors')
  const user = come('192.0.2.3')
  user.visit.answered('password', joe)
  for (let i = 0; i < 9; i++) user.visit.noted('mistake')
  for (let i = 0; i < 9; i++) user.visit.unknownRecipient()
  assert.equal(bans.of('192.0.2.3'), undefined)
})

test('commands have a limit in a session and one in a time', async () => {
  const { come } = await scriptedNode({ commands: 5 })
  const many = come('127.0.0.1')
  for (let i = 0; i < 5; i++) many.visit.noted('command')
  assert.deepEqual(many.said, [])
  many.visit.noted('command')
  many.visit.noted('command')
  assert.deepEqual(many.said, ['too many commands'])
  const quick = (await scriptedNode(only({ commands: minute(100) }))).come(PEER)
  for (let i = 0; i < 128; i++) quick.visit.noted('command')
  assert.deepEqual(quick.said, ['too many commands in a short time'])
})

test('messages and recipients by time are of strangers only', async () => {
  const { come } = await scriptedNode(only({ messages: minute(1), recipients: minute(3) }))
  const { visit } = come(PEER)
  assert.equal(visit.message().kind, 'welcome')
  assert.equal(visit.message().kind, 'turned')
  assert.equal(visit.recipients(3), true)
  assert.equal(visit.recipients(1), false)
  visit.answered('password', joe)
  assert.equal(visit.message().kind, 'welcome')
  assert.equal(visit.recipients(100), true)
})

test('an account has so many sessions at once, over all doors and addresses', async () => {
  const { come, visits } = await scriptedNode({ perAccount: 2 })
  const all = [PEER, '192.0.2.2', '127.0.0.1'].map(address => come(address).visit)
  const answers = all.map(visit => visit.answered('password', joe))
  assert.deepEqual(
    answers.map(({ kind }) => kind),
    ['account', 'account', 'unavailable'],
  )
  assert.ok(answers[2]?.kind === 'unavailable' && answers[2].limit)
  visits.end(all[0] as never)
  assert.equal(all[2]?.answered('password', joe).kind, 'account')
})

test('who has gone before his answer came has no session, and his wrong guess counts', async () => {
  const { come, visits, bans } = await scriptedNode({ perAccount: 1, loginFailures: 1 })
  for (let i = 0; i < 3; i++) {
    const { visit } = come('192.0.2.7')
    visits.end(visit)
    assert.equal(visit.answered('password', joe).kind, 'account')
    assert.equal(visit.later(), 0)
  }
  assert.equal(come(PEER).visit.answered('password', joe).kind, 'account')
  const { visit } = come('192.0.2.8')
  visits.end(visit)
  visit.answered('password', denied, 1)
  assert.equal(bans.of('192.0.2.8')?.reason, 'failed logins')
})

test('a session that lasts too long is ended, whoever it is', async () => {
  const { come, internet } = await scriptedNode({ sessionTime: 3_600_000 })
  const old = come('127.0.0.1')
  await internet.advance(3_600_000)
  assert.deepEqual(old.said, [])
  const young = come(PEER)
  await internet.advance(60_000)
  assert.deepEqual(old.said, ['the session has lasted too long'])
  assert.deepEqual(young.said, [])
})

test('where there is too much to do nobody comes in, loopback neither; who is here stays', async () => {
  const { come, load } = await scriptedNode()
  const { visit, said } = come(PEER)
  load.shedding = true
  assert.deepEqual(come('127.0.0.1').admission, {
    kind: 'turned',
    by: 'load',
    why: 'too busy just now; try again later',
  })
  assert.equal(visit.message().kind, 'turned')
  assert.deepEqual(said, [])
  load.shedding = false
  assert.equal(come(PEER).admission.kind, 'welcome')
})
