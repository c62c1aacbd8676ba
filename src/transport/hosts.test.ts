import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AddressFamily } from '../route/route.ts'
import type { Dns, DnsAnswer, MxRecord } from '../world/dns.ts'
import type { Random } from '../world/random.ts'
import { parseLiteral, usableAddress } from './address-literal.ts'
import { type LocateSettings, locateDomain, locateHost } from './hosts.ts'

type Zone = Record<
  string,
  { mx?: [number, string][] | 'failed'; a?: string[] | 'failed'; aaaa?: string[] | 'failed' }
>

const servfail = { kind: 'failed', reason: 'SERVFAIL' } as const

function fakeDns(zone: Zone): Dns & { readonly asked: string[] } {
  const asked: string[] = []
  function answer<T>(
    kind: 'mx' | 'a' | 'aaaa',
    name: string,
    records: readonly T[] | 'failed' | undefined,
  ): Promise<DnsAnswer<T>> {
    asked.push(`${kind} ${name}`)
    if (records === 'failed') return Promise.resolve(servfail)
    if (records !== undefined) return Promise.resolve({ kind: 'found', records })
    return Promise.resolve({ kind: name in zone ? 'empty' : 'missing' })
  }
  return {
    asked,
    mx(name) {
      const mx = zone[name]?.mx
      const records =
        mx === 'failed'
          ? mx
          : mx?.map(([preference, exchange]): MxRecord => ({ preference, exchange }))
      return answer('mx', name, records)
    },
    ipv4: name => answer('a', name, zone[name]?.a),
    ipv6: name => answer('aaaa', name, zone[name]?.aaaa),
    txt: () => Promise.resolve({ kind: 'empty' }),
    cname: () => Promise.resolve({ kind: 'empty' }),
    names: () => Promise.resolve({ kind: 'empty' }),
  }
}

/** Always the last: shuffle then keeps the order. */
const orderly: Random = { octets: count => new Uint8Array(count), below: limit => limit - 1 }
const settings: LocateSettings = {
  hostsMax: 10,
  addressesMax: 20,
  isOurself: (name, address) => name === 'me.test' || address === '192.0.2.99',
}

async function located(zone: Zone, domain: string, random = orderly): Promise<string> {
  const result = await locateDomain({ dns: fakeDns(zone), random }, domain, settings)
  if (result.kind !== 'hosts') return `${result.kind} ${result.status}`
  return result.hosts.map(host => `${host.name}=${host.address}`).join(' ')
}

const a = (address: string) => ({ a: [address] })
const cases: [string, Zone, string, string][] = [
  [
    'hosts come by preference, whatever the order of the answer',
    {
      'x.test': {
        mx: [
          [20, 'b.test'],
          [10, 'a.test'],
        ],
      },
      'a.test': a('192.0.2.1'),
      'b.test': a('192.0.2.2'),
    },
    'x.test',
    'a.test=192.0.2.1 b.test=192.0.2.2',
  ],
  [
    'without MX the domain itself is the host',
    { 'x.test': a('192.0.2.1') },
    'x.test',
    'x.test=192.0.2.1',
  ],
  [
    'a null MX fails at once',
    { 'x.test': { mx: [[0, '']], a: ['192.0.2.1'] } },
    'x.test',
    'failed 5.1.10',
  ],
  [
    'a null MX written as a dot counts too',
    { 'x.test': { mx: [[0, '.']] } },
    'x.test',
    'failed 5.1.10',
  ],
  [
    'a null MX among others is ignored',
    {
      'x.test': {
        mx: [
          [0, ''],
          [5, 'a.test'],
        ],
      },
      'a.test': a('192.0.2.1'),
    },
    'x.test',
    'a.test=192.0.2.1',
  ],
  ['a domain that does not exist fails', {}, 'x.test', 'failed 5.1.2'],
  ['a domain with neither MX nor address fails', { 'x.test': {} }, 'x.test', 'failed 5.4.4'],
  [
    'a failed MX look-up is never taken for no MX',
    { 'x.test': { mx: 'failed', a: ['192.0.2.1'] } },
    'x.test',
    'deferred 4.4.3',
  ],
  [
    'a failed address look-up waits',
    { 'x.test': { mx: [[1, 'a.test']] }, 'a.test': { a: 'failed' } },
    'x.test',
    'deferred 4.4.3',
  ],
  [
    'a host whose AAAA fails is reached by A',
    { 'x.test': { mx: [[1, 'a.test']] }, 'a.test': { a: ['192.0.2.1'], aaaa: 'failed' } },
    'x.test',
    'a.test=192.0.2.1',
  ],
  [
    'a host that cannot be looked up does not hide one that can',
    {
      'x.test': {
        mx: [
          [1, 'a.test'],
          [2, 'b.test'],
        ],
      },
      'a.test': { a: 'failed' },
      'b.test': a('192.0.2.2'),
    },
    'x.test',
    'b.test=192.0.2.2',
  ],
  [
    'IPv6 and IPv4 take turns',
    {
      'x.test': { mx: [[1, 'a.test']] },
      'a.test': { aaaa: ['2001:db8::1', '2001:db8::2'], a: ['192.0.2.1'] },
    },
    'x.test',
    'a.test=2001:db8::1 a.test=192.0.2.1 a.test=2001:db8::2',
  ],
  [
    'we and all that are not better than us are left out, by name',
    {
      'x.test': {
        mx: [
          [5, 'a.test'],
          [10, 'me.test'],
          [10, 'b.test'],
          [20, 'c.test'],
        ],
      },
      'a.test': a('192.0.2.1'),
      'b.test': a('192.0.2.2'),
      'c.test': a('192.0.2.3'),
    },
    'x.test',
    'a.test=192.0.2.1',
  ],
  [
    'we are known by address too',
    {
      'x.test': {
        mx: [
          [5, 'a.test'],
          [10, 'alias.test'],
          [20, 'c.test'],
        ],
      },
      'a.test': a('192.0.2.1'),
      'alias.test': a('192.0.2.99'),
      'c.test': a('192.0.2.3'),
    },
    'x.test',
    'a.test=192.0.2.1',
  ],
  [
    'where we are the best host the mail would loop',
    {
      'x.test': {
        mx: [
          [1, 'me.test'],
          [2, 'b.test'],
        ],
      },
      'b.test': a('192.0.2.2'),
    },
    'x.test',
    'failed 5.4.6',
  ],
  [
    'an address record that is ours is a loop',
    { 'x.test': a('192.0.2.99') },
    'x.test',
    'failed 5.4.6',
  ],
  [
    'an address, an underscore or an empty label in an MX is skipped',
    {
      'x.test': {
        mx: [
          [1, '192.0.2.7'],
          [1, 'a_b.test'],
          [1, 'a..test'],
          [2, 'ok.test'],
        ],
      },
      '192.0.2.7': a('192.0.2.7'),
      'a_b.test': a('192.0.2.8'),
      'ok.test': a('192.0.2.1'),
    },
    'x.test',
    'ok.test=192.0.2.1',
  ],
  [
    'nothing but unusable MX names fails',
    { 'x.test': { mx: [[1, '192.0.2.7']] } },
    'x.test',
    'failed 5.4.4',
  ],
  [
    'an MX host that does not exist fails',
    { 'x.test': { mx: [[1, 'a.test']] } },
    'x.test',
    'failed 5.4.4',
  ],
  [
    'addresses that name no host are skipped',
    { 'x.test': { a: ['0.0.0.0', '224.0.0.1'], aaaa: ['::', 'ff02::1'] } },
    'x.test',
    'failed 5.4.4',
  ],
  ['an IPv4 literal is its own host', {}, '[192.0.2.5]', '[192.0.2.5]=192.0.2.5'],
  ['an IPv6 literal is its own host', {}, '[IPv6:2001:db8::5]', '[IPv6:2001:db8::5]=2001:db8::5'],
  ['a literal of ours is a loop', {}, '[192.0.2.99]', 'failed 5.4.6'],
  ['an unknown literal fails', {}, '[x400:c=de]', 'failed 5.1.2'],
  [
    'a U-label is asked for as an A-label',
    { 'xn--mnchen-3ya.test': a('192.0.2.1') },
    'münchen.test',
    'xn--mnchen-3ya.test=192.0.2.1',
  ],
  ['a name no DNS can hold fails', {}, `${'a'.repeat(64)}.test`, 'failed 5.1.2'],
]
for (const [title, zone, domain, expected] of cases) {
  test(title, async () => assert.equal(await located(zone, domain), expected))
}

test('load is spread among hosts of equal preference', async () => {
  const zone: Zone = {
    'x.test': {
      mx: [
        [1, 'a.test'],
        [1, 'b.test'],
      ],
    },
    'a.test': a('192.0.2.1'),
    'b.test': a('192.0.2.2'),
  }
  const swapping: Random = { ...orderly, below: () => 0 }
  assert.equal(await located(zone, 'x.test', swapping), 'b.test=192.0.2.2 a.test=192.0.2.1')
})

test('a thousand MX hosts cost a bounded number of look-ups and give a bounded number of addresses', async () => {
  const mx: [number, string][] = []
  const zone: Zone = { 'x.test': { mx } }
  for (let i = 0; i < 1000; i++) {
    mx.push([i, `h${i}.test`])
    zone[`h${i}.test`] = { a: Array.from({ length: 50 }, (_, at) => `192.0.2.${at + 1}`) }
  }
  const dns = fakeDns(zone)
  const result = await locateDomain({ dns, random: orderly }, 'x.test', settings)
  assert.equal(result.kind === 'hosts' && result.hosts.length, 20)
  assert.equal(dns.asked.length, 1 + 2 * 10)
})

test('a fixed next hop is looked up by address only, and its absence is temporary', async () => {
  const dns = fakeDns({ 'relay.test': { mx: [[1, 'no.test']], a: ['192.0.2.1'] } })
  const world = { dns, random: orderly }
  assert.deepEqual(await locateHost(world, 'relay.test', 5), {
    kind: 'hosts',
    hosts: [{ name: 'relay.test', address: '192.0.2.1' }],
  })
  assert.deepEqual(dns.asked, ['aaaa relay.test', 'a relay.test'])
  assert.equal((await locateHost(world, 'gone.test', 5)).kind, 'deferred')
  assert.deepEqual(await locateHost(world, '127.0.0.1', 5), {
    kind: 'hosts',
    hosts: [{ name: '127.0.0.1', address: '127.0.0.1' }],
  })
})

test('which family of addresses counts, and which comes first', async () => {
  const zone = { 'r.test': { a: ['192.0.2.1', '192.0.2.2'], aaaa: ['2001:db8::1'] } }
  const by = async (family: AddressFamily) => {
    const dns = fakeDns(zone)
    const located = await locateHost({ dns, random: orderly }, 'r.test', 5, family)
    const addresses = located.kind === 'hosts' ? located.hosts.map(host => host.address) : []
    return [addresses.join(' '), dns.asked.length]
  }
  assert.deepEqual(await by('any'), ['2001:db8::1 192.0.2.1 192.0.2.2', 2])
  assert.deepEqual(await by('ipv6-first'), ['2001:db8::1 192.0.2.1 192.0.2.2', 2])
  assert.deepEqual(await by('ipv4-first'), ['192.0.2.1 192.0.2.2 2001:db8::1', 2])
  assert.deepEqual(await by('ipv4'), ['192.0.2.1 192.0.2.2', 1])
  assert.deepEqual(await by('ipv6'), ['2001:db8::1', 1])
})

test('a next hop at localhost is on this machine, and no name server is asked (RFC 6761 §6.3)', async () => {
  const dns = fakeDns({ localhost: { a: ['192.0.2.66'] } })
  const at = async (name: string, family?: AddressFamily) => {
    const located = await locateHost({ dns, random: orderly }, name, 5, family)
    return located.kind === 'hosts' ? located.hosts.map(host => host.address) : located.kind
  }
  assert.deepEqual(await at('localhost', 'ipv4-first'), ['127.0.0.1', '::1'])
  assert.deepEqual(await at('Relay.localhost.', 'ipv4'), ['127.0.0.1'])
  assert.deepEqual(dns.asked, [])
  assert.equal(await at('notlocalhost'), 'deferred')
})

test('literals are read strictly', () => {
  assert.equal(parseLiteral('[127.0.0.1]'), '127.0.0.1')
  assert.equal(parseLiteral('[ipv6:::1]'), '::1')
  assert.equal(parseLiteral('[::1]'), undefined)
  assert.equal(parseLiteral('[127.1]'), undefined)
  assert.equal(usableAddress('::ffff:0.0.0.0'), false)
  assert.equal(usableAddress('::1'), true)
})

test('a host of the other family alone is told as such, and its mail waits', async () => {
  const zone: Zone = {
    'six.test': { aaaa: ['2001:db8::1'] },
    'four.test': a('192.0.2.1'),
    'none.test': {},
    'within.test': { aaaa: ['ff02::1'] },
    'mixed.test': {
      mx: [
        [10, 'six.test'],
        [20, 'four.test'],
      ],
    },
  }
  const by = async (name: string, family: AddressFamily, find: 'domain' | 'host' = 'domain') => {
    const world = { dns: fakeDns(zone), random: orderly }
    const found = await (find === 'host'
      ? locateHost(world, name, 5, family)
      : locateDomain(world, name, { ...settings, family }))
    if (found.kind === 'hosts') return found.hosts.map(host => host.address).join(' ')
    return `${found.kind} ${found.status} ${found.reason}`
  }
  const six = 'deferred 4.4.1 six.test has IPv6 addresses alone, and we go out by IPv4 alone'
  const four = 'deferred 4.4.1 four.test has IPv4 addresses alone, and we go out by IPv6 alone'
  assert.equal(await by('six.test', 'ipv4'), six)
  assert.equal(await by('six.test', 'ipv4', 'host'), six)
  assert.equal(await by('four.test', 'ipv6'), four)
  assert.equal(await by('four.test', 'ipv6', 'host'), four)
  assert.equal(await by('mixed.test', 'ipv4'), '192.0.2.1')
  // What nobody can reach is not for want of an address of ours.
  assert.match(await by('none.test', 'ipv4'), /^failed 5\.4\.4 no mail host/)
  assert.match(await by('within.test', 'ipv4'), /^failed 5\.4\.4 no mail host/)
})
