import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseStoredAddress } from '../mail/address.ts'
import { decide, type Passed, type RouteRules } from './decide.ts'
import { conditionsOf, type Facts, includes, type Match } from './match.ts'
import { matchesAddress, parseAddressPattern } from './pattern.ts'
import { routeByHops, routeTo, type To } from './to.ts'

const isLocal = (domain: string) => domain === 'here.example'

const facts = (more: Partial<Facts> = {}): Facts => ({
  recipient: parseStoredAddress('bob@far.example'),
  sender: parseStoredAddress('alice@here.example'),
  origin: 'submission',
  peer: '192.0.2.7',
  account: parseStoredAddress('alice@here.example'),
  sizeOctets: 5000,
  header: name => (name === 'subject' ? ['the lottery is yours'] : []),
  ...more,
})

function rulesOf(rules: readonly (readonly [Match, To])[]): RouteRules {
  return {
    rules: rules.map(([match, to], at) => ({
      place: `routes[${at}]`,
      conditions: conditionsOf(match, isLocal),
      to: routeTo(to, new Map()),
    })),
    bySender: [],
    isLocal,
    isOnDemand: domain => domain === 'away.example',
  }
}

for (const [pattern, address, matches] of [
  ['bob@far.example', 'bob@far.example', true],
  ['Bob@Far.Example', 'bob@far.example', true],
  ['bob@far.example', 'bobby@far.example', false],
  ['@far.example', 'bob@far.example', true],
  ['@far.example', 'bob@x.far.example', false],
  ['*@*.far.example', 'bob@x.far.example', true],
  ['*@*.far.example', 'bob@far.example', false],
  ['bob+*@far.example', 'bob+x@far.example', true],
  ['*bo*b*@far.example', 'abob@far.example', true],
  ['*bo*ob@far.example', 'bob@far.example', false],
  ['a*a@far.example', 'a@far.example', false],
  ['@bücher.example', 'bob@xn--bcher-kva.example', true],
  ['@xn--bcher-kva.example', 'bob@bücher.example', true],
  ['@*.bücher.example', 'bob@x.xn--bcher-kva.example', true],
  ['<>', '', true],
  ['<>', 'bob@far.example', false],
  ['*@*', '', false],
] as const) {
  test(`${pattern} ${matches ? 'matches' : 'does not match'} '${address}'`, () => {
    const parsed = parseAddressPattern(pattern)
    assert.ok(parsed)
    const given = address === '' ? null : parseStoredAddress(address)
    assert.equal(matchesAddress(parsed, given), matches)
    const rules = rulesOf([[{ sender: [pattern] }, 'discard']])
    const { kind, route } = decide(rules, facts({ sender: given })) as {
      kind: string
      route: object
    }
    assert.equal(kind, 'decided')
    assert.deepEqual(route, matches ? { kind: 'discard' } : { kind: 'mx', domain: 'far.example' })
  })
}

for (const text of ['', 'far.example', 'bob@', 'a b@far.example', 'bob', '<bob@far.example>']) {
  test(`'${text}' is no pattern`, () => assert.equal(parseAddressPattern(text), undefined))
}

const yes: readonly Match[] = [
  {},
  { recipient: ['remote'] },
  { recipient: ['x@y', '@far.example'] },
  { account: ['*@here.example'] },
  { source: ['submission'] },
  { source: ['10.0.0.0/8', '192.0.2.0/24'] },
  { size: { text: '>1KB', over: 1024 } },
  { size: { text: '', over: 4999, under: 5001 } },
  { header: { Subject: ['*lottery*'] } },
  { header: { Subject: ['nothing', 'the*yours'] } },
  { recipient: ['remote'], sender: ['@here.example'], header: { subject: ['*'] } },
]
const no: readonly Match[] = [
  { recipient: ['local'] },
  { recipient: ['x@y'] },
  { account: ['*@else.example'] },
  { source: ['mx'] },
  { source: ['10.0.0.0/8'] },
  { size: { text: '<1KB', under: 1024 } },
  { size: { text: '', over: 5000 } },
  { size: { text: '', under: 5000 } },
  { header: { Subject: ['lottery'] } },
  { header: { 'X-None': ['*'] } },
  { recipient: ['remote'], sender: ['<>'] },
]
for (const [matches, list] of [
  [true, yes],
  [false, no],
] as const) {
  for (const match of list) {
    test(`${JSON.stringify(match)} ${matches ? 'matches' : 'does not match'}`, () => {
      const decision = decide(rulesOf([[match, 'discard']]), facts())
      assert.ok(decision.kind === 'decided')
      assert.equal(decision.route.kind, matches ? 'discard' : 'mx')
      assert.equal(decision.by, matches ? 'routes[0]' : 'mx')
    })
  }
}

test('the first rule that matches wins, and those before it say why they did not', () => {
  const rules = rulesOf([
    [{ recipient: ['@near.example'] }, 'discard'],
    [{ recipient: ['remote'], size: { text: '>1MB', over: 1_048_576 } }, 'hold'],
    [{ sender: ['@here.example'] }, { reject: { status: '5.7.1', text: 'no' } }],
    [{}, 'discard'],
  ])
  const passed: Passed[] = []
  const decision = decide(rules, facts(), passed)
  assert.deepEqual(decision, {
    kind: 'decided',
    by: 'routes[2]',
    route: { kind: 'reject', status: '5.7.1', text: 'no' },
  })
  assert.deepEqual(passed, [
    {
      place: 'routes[0]',
      condition: 'recipient',
      wanted: '@near.example',
      found: 'bob@far.example',
    },
    { place: 'routes[1]', condition: 'size', wanted: '>1MB', found: '5000 octets' },
  ])
})

test('without a rule: our domains, customers, hops by their senders, the smart host, MX', () => {
  const none = rulesOf([])
  const to = (recipient: string, rules: RouteRules = none) => {
    const decision = decide(rules, facts({ recipient: parseStoredAddress(recipient) }))
    assert.ok(decision.kind === 'decided')
    return [decision.route.kind, decision.by]
  }
  assert.deepEqual(to('bob@here.example'), ['local', 'domains'])
  assert.deepEqual(to('bob@away.example'), ['onDemand', 'onDemand'])
  assert.deepEqual(to('bob@far.example'), ['mx', 'mx'])
  const smarthost = { kind: 'smarthost', host: 'h', port: 25, tls: 'never' } as const
  assert.deepEqual(to('bob@far.example', { ...none, smarthost }), [
    'smarthost',
    'outbound.smarthost',
  ])
  const hops = new Map([['out', { kind: 'mx', egress: { hostname: 'out.example' } } as const]])
  const bySender = [
    {
      place: 'outbound.hops.out',
      conditions: conditionsOf({ sender: ['@here.example'] }, isLocal),
      to: routeByHops(['out'], hops),
    },
  ]
  const rules = { ...none, smarthost, bySender }
  assert.deepEqual(to('bob@far.example', rules), ['mx', 'outbound.hops.out'])
  assert.deepEqual(to('bob@here.example', rules), ['local', 'domains'])
  // RFC 5321 §4.5.1: whatever a rule for everything says.
  assert.deepEqual(to('postmaster', rulesOf([[{}, 'discard']])), ['local', 'postmaster'])
})

test('a rule that asks what is not known is undecided, unless another condition has decided', () => {
  const { header: _header, account: _account, sizeOctets: _size, ...bare } = facts()
  const needs = (match: Match) => {
    const decision = decide(rulesOf([[match, 'discard']]), bare)
    return decision.kind === 'needs' ? decision.need : decision.route.kind
  }
  assert.equal(needs({ header: { subject: ['*'] } }), 'header')
  assert.equal(needs({ size: { text: '', over: 1 } }), 'size')
  assert.equal(needs({ account: ['*@*'] }), 'account')
  assert.equal(needs({ account: ['*@*'], header: { subject: ['*'] } }), 'account')
  assert.equal(needs({ recipient: ['local'], header: { subject: ['*'] } }), 'mx')
  assert.equal(needs({ header: { subject: ['*'] }, source: ['mx'] }), 'mx')
})

test('what the operator has let go is not held again, but goes where else it would', () => {
  const rules = rulesOf([
    [{}, { hold: 'look at it' }],
    [{ recipient: ['remote'] }, 'discard'],
  ])
  const by = (more: Partial<Facts>) => (decide(rules, facts(more)) as { by: string }).by
  assert.equal(by({}), 'routes[0]')
  assert.equal(by({ released: true }), 'routes[1]')
})

test('one rule includes another where it surely matches all that the other does', () => {
  const cases: readonly (readonly [Match, Match, boolean])[] = [
    [{}, { sender: ['@a'] }, true],
    [{ sender: ['@a.example'] }, { sender: ['joe@a.example'] }, true],
    [{ sender: ['*@*.example'] }, { sender: ['@x.example', 'a@y.example'] }, true],
    [{ sender: ['@a.example'] }, { sender: ['@*.example'] }, false],
    [{ sender: ['@a.example'] }, {}, false],
    [{ recipient: ['local', 'remote'] }, {}, true],
    [{ recipient: ['remote'] }, { recipient: ['@a.example'] }, false],
    [{ size: { text: '', over: 10 } }, { size: { text: '', over: 20 } }, true],
    [{ size: { text: '', over: 20 } }, { size: { text: '', over: 10 } }, false],
    [{ header: { subject: ['*'] } }, { header: { Subject: ['*x*'] }, source: ['mx'] }, true],
    [{ header: { subject: ['x'] } }, { header: { 'x-y': ['x'] } }, false],
  ]
  for (const [outer, inner, expected] of cases) {
    assert.equal(includes(outer, inner), expected, JSON.stringify([outer, inner]))
  }
})

test('a pattern of many stars takes time in proportion to the text', () => {
  const pattern = parseAddressPattern(`${'*a'.repeat(500)}b@far.example`)
  assert.ok(pattern)
  const address = { local: 'a'.repeat(100_000), domain: 'far.example' }
  assert.equal(matchesAddress(pattern, address), false)
})
