import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load, short, town } from '../../test/kit/smtp-town.ts'
import type { Route } from '../route/route.ts'
import { simIdentity } from '../world/sim/index.ts'
import { fingerprintOf } from '../world/sim/tls.ts'
import type { Script } from './fake-server.ts'
import { sendMail } from './send.ts'
import type { Load } from './transport.ts'

const cases: [string, readonly Script[], string, string?][] = [
  ['the most preferred host is taken', [{}, {}], 'delivered 2.0.0 mx0.test'],
  [
    'a host that greets with 4yz gives way to the next',
    [{ greeting: '450 busy' }, {}],
    'delivered 2.0.0 mx1.test',
  ],
  [
    'a host that greets with 5yz gives way to the next',
    [{ greeting: '554 no' }, {}],
    'delivered 2.0.0 mx1.test',
  ],
  [
    'a host that hangs up gives way to the next',
    [{ greeting: '' }, {}],
    'delivered 2.0.0 mx1.test',
  ],
  [
    'a silent host gives way to the next',
    [{ greeting: 'silence' }, {}],
    'delivered 2.0.0 mx1.test',
  ],
  [
    'a host that speaks another protocol gives way',
    [{ greeting: 'SSH-2.0-x' }, {}],
    'delivered 2.0.0 mx1.test',
  ],
  [
    '421 at EHLO gives way to the next',
    [{ replies: { EHLO: '421 4.3.2 down' } }, {}],
    'delivered 2.0.0 mx1.test',
  ],
  [
    'a connection lost at MAIL gives way to the next',
    [{ replies: { MAIL: '' } }, {}],
    'delivered 2.0.0 mx1.test',
  ],
  [
    'a connection lost at DATA gives way to the next',
    [{ replies: { DATA: '' } }, {}],
    'delivered 2.0.0 mx1.test',
  ],
  [
    'but not one lost behind the final dot',
    [{ replies: { '.': '' } }, {}],
    'deferred 4.4.2 in doubt mx0.test',
  ],
  [
    'a refused recipient is refused, whatever hosts there are',
    [{ replies: { RCPT: '550 5.1.1 no' } }, {}],
    'failed 5.1.1 mx0.test',
  ],
  [
    'a deferred recipient waits',
    [{ replies: { RCPT: '450 4.7.1 grey' } }, {}],
    'deferred 4.7.1 mx0.test',
  ],
  [
    'where all hosts greet with 554 the mail waits',
    [{ greeting: '554 no' }, { greeting: '550 5.7.1 not from there' }],
    'deferred 4.7.1 mx1.test',
  ],
  [
    'one that greets with 521 and one with 554 make it wait',
    [{ greeting: '554 no' }, { greeting: '521 never' }],
    'deferred 4.3.2 mx0.test',
  ],
  [
    'all hosts that never take mail make a failure (RFC 7504 §3)',
    [{ greeting: '521 no' }, { greeting: '521 never' }],
    'failed 5.3.2 mx1.test',
  ],
  [
    'one of them that may yet take it makes it wait',
    [{ greeting: '421 4.3.2 later' }, { greeting: '521 no' }],
    'deferred 4.3.2 mx0.test',
  ],
  [
    'everything refused is a failure',
    [{ replies: { EHLO: '550 no', HELO: '550 no' } }],
    'failed 5.0.0 mx0.test',
  ],
  [
    'silence at every step is waited for no longer than allowed',
    [{ replies: { MAIL: 'silence' } }],
    'deferred 4.4.2 mx0.test',
  ],
  [
    'silence behind the dot leaves doubt',
    [{ replies: { '.': 'silence' } }],
    'deferred 4.4.2 in doubt mx0.test',
  ],
  [
    'TLS that fails is followed by clear text',
    [{ extensions: ['STARTTLS'] }],
    'delivered 2.0.0 mx0.test',
  ],
]
for (const [title, scripts, expected] of cases) {
  test(title, async () => {
    const { carry } = await town(scripts)
    assert.equal(short(await carry()), expected)
  })
}

test('a smart host that greets with 5yz is left for the next, and else waited for, unless the mail is to come back', async () => {
  const smarthost: Route = {
    kind: 'smarthost',
    host: 'mx0.test',
    port: 25,
    tls: 'never',
    instead: [{ host: 'mx1.test', port: 25, tls: 'never' }],
  }
  for (const [greetings, refusedGreeting, expected] of [
    [['554 no', '220 mx1.test'], 'wait', 'delivered 2.0.0 mx1.test'],
    [['554 no', '220 mx1.test'], 'bounce', 'delivered 2.0.0 mx1.test'],
    [['521 no', '554 5.7.1 no'], 'wait', 'deferred 4.7.1 mx1.test'],
    [['521 no', '554 5.7.1 no'], 'bounce', 'failed 5.7.1 mx1.test'],
  ] as const) {
    const { carry } = await town(
      greetings.map(greeting => ({ greeting })),
      { refusedGreeting },
    )
    assert.equal(short(await carry(undefined, smarthost)), expected)
  }
})

test('a host without a listener gives way to the next, and none at all makes the mail wait', async () => {
  const { carry, internet } = await town([{}])
  internet.host({ name: 'mute.test', addresses: ['198.51.100.50'] })
  internet.zones.set('x.test', {
    mx: [
      [0, 'mute.test'],
      [1, 'mx0.test'],
    ],
  })
  assert.equal(short(await carry()), 'delivered 2.0.0 mx0.test')
  internet.zones.set('x.test', { mx: [[0, 'mute.test']] })
  const carried = await carry(undefined, { kind: 'mx', domain: 'x.test' })
  // The kept connection to mx0 has been used while it lasted.
  assert.equal(short(carried), 'delivered 2.0.0 mx0.test')
  await internet.advance('10s')
  assert.equal(short(await carry()), 'deferred 4.4.1 mute.test')
})

test('what waits for a greeting or an address when all is recalled comes back as it went, at once', async () => {
  for (const [greeting, wait] of [
    ['silence', '1s'],
    ['220 mx0.test', '0s'],
  ] as const) {
    const { transport, internet } = await town([{ greeting }])
    const before = internet.now
    const carried = transport.carry(load(['b@x.test']), { kind: 'mx', domain: 'x.test' })
    await internet.advance(wait)
    transport.recall?.()
    const { recalled, outcomes } = await internet.complete(carried)
    assert.deepEqual([recalled, outcomes[0]?.kind], [true, 'deferred'])
    assert.ok(internet.now - before <= 1000)
  }
})

test('what a host has said something of when all is recalled is settled by that', async () => {
  const scripts = [{ replies: { MAIL: '' } }, { greeting: 'silence' }]
  const { transport, internet } = await town(scripts)
  const carried = transport.carry(load(['b@x.test']), { kind: 'mx', domain: 'x.test' })
  await internet.advance('1s')
  transport.recall?.()
  assert.equal((await internet.complete(carried)).recalled, undefined)
})

test('a domain that cannot be found is an outcome of every recipient', async () => {
  const { carry } = await town([])
  const gone: Route = { kind: 'mx', domain: 'gone.test' }
  assert.equal(
    short(await carry(load(['a@gone.test', 'b@gone.test']), gone)),
    'failed 5.1.2, failed 5.1.2',
  )
})

test('recipients that are too many for one transaction go in the next', async () => {
  let taken = 0
  const RCPT = () => {
    taken += 1
    return taken <= 2 ? '250 ok' : '452 4.5.3 too many'
  }
  const MAIL = () => {
    taken = 0
    return '250 ok'
  }
  const { carry, servers } = await town([{ replies: { RCPT, MAIL } }])
  const carried = await carry(load(['a@x.test', 'b@x.test', 'c@x.test', 'd@x.test', 'e@x.test']))
  assert.equal(
    carried.outcomes.every(outcome => outcome.kind === 'delivered'),
    true,
    short(carried),
  )
  assert.equal(servers[0]?.connections, 1)
  assert.equal((servers[0]?.messages.length ?? 0) > 1, true)
})

test('a fixed next hop is logged in to, and a refused login makes the mail wait', async () => {
  const script: Script = { extensions: ['AUTH PLAIN'], replies: { AUTH: '535 5.7.8 no' } }
  const { carry, servers } = await town([script])
  const route: Route = {
    kind: 'smarthost',
    host: 'mx0.test',
    port: 25,
    tls: 'never',
    login: { username: 'u', password: 'p' },
  }
  assert.equal(short(await carry(undefined, route)), 'deferred 4.7.8 mx0.test')
  if (servers[0]) servers[0].script = { ...script, replies: { AUTH: '235 ok' } }
  assert.equal(short(await carry(undefined, route)), 'delivered 2.0.0 mx0.test')
})

test('TLS that works is used, whatever the certificate', async () => {
  const identity = simIdentity(['other.test'], false)
  const { carry, servers } = await town([{ extensions: ['STARTTLS'], identity }])
  assert.equal(short(await carry()), 'delivered 2.0.0 mx0.test')
  assert.equal(servers[0]?.secured, 1)
  assert.deepEqual(servers[0]?.lines.slice(0, 3), ['EHLO us.test', 'STARTTLS', 'EHLO us.test'])
})

test('a hop that must be verified and cannot be is not used', async () => {
  for (const script of [
    {},
    { extensions: ['STARTTLS'] },
    { extensions: ['STARTTLS'], identity: simIdentity(['mx0.test'], false) },
  ]) {
    const { carry, servers } = await town([script])
    const route: Route = { kind: 'smarthost', host: 'mx0.test', port: 25, tls: 'require' }
    const carried = await carry(undefined, route)
    assert.match(short(carried), /^deferred 4\.7\.[45]/)
    assert.equal(servers[0]?.messages.length, 0)
  }
})

test('RFC 5321 §4.5.4.1: a host that could not be reached is tried last for a minute', async () => {
  const { carry, servers, internet } = await town([{ greeting: '' }, {}], {
    messagesPerConnection: 1,
  })
  const seen = () => servers.map(({ connections }) => connections)
  for (const counts of [
    [1, 1],
    [1, 2],
  ]) {
    assert.equal(short(await carry()), 'delivered 2.0.0 mx1.test')
    assert.deepEqual(seen(), counts)
  }
  await internet.advance('61 seconds')
  assert.equal(short(await carry()), 'delivered 2.0.0 mx1.test')
  assert.deepEqual(seen(), [2, 3])
})

test('a hop whose certificate is pinned needs nobody to vouch for it, and no other certificate will do', async () => {
  const self = { extensions: ['STARTTLS'], identity: simIdentity(['other.test'], false) }
  const place = await town([self])
  const route = { kind: 'smarthost', host: 'mx0.test', port: 25, tls: 'require' } as const
  const pins = [fingerprintOf(['other.test'])]
  const asked = asking({ requireTls: true })
  assert.equal(short(await place.carry(undefined, { ...route, pins })), 'delivered 2.0.0 mx0.test')
  // It is as good as verified: what requires TLS may go by it, and only lacks the extension.
  assert.match(short(await place.carry(asked, { ...route, pins })), /^failed 5\.7\.30/)
  const others = { ...route, pins: [fingerprintOf(['mx0.test'])] }
  assert.equal(short(await place.carry(undefined, others)), 'deferred 4.7.5 mx0.test')
  assert.equal(place.servers[0]?.messages.length, 1)
})

test('content that cannot be read makes the mail wait and gives the place back', async () => {
  const { carry, servers } = await town([{}], { connectionsPerRoute: 1 })
  const broken: Load = {
    ...load(['b@x.test']),
    content: () => {
      throw new Error('disk')
    },
  }
  assert.equal(short(await carry(broken)), 'deferred 4.3.0')
  async function* torn() {
    yield Buffer.from('Subject: x\r\n')
    throw new Error('disk')
  }
  const half: Load = { ...load(['b@x.test']), content: () => torn() }
  assert.equal(short(await carry(half)), 'deferred 4.3.0')
  assert.equal(short(await carry()), 'delivered 2.0.0 mx0.test')
  assert.equal(servers[0]?.messages.length, 1)
})

test('a failure shows what was said, a delivery does not', async () => {
  let asked = 0
  const RCPT = () => (asked++ === 0 ? '250 ok' : '550 5.1.1 no')
  const { carry } = await town([{ replies: { RCPT } }])
  assert.equal((await carry()).dialogue, undefined)
  assert.match((await carry()).dialogue ?? '', /C: RCPT TO:<b@x\.test>\n(.*\n)+S: 550 5\.1\.1 no/)
})

test('sendMail sends one message and tells what was said', async () => {
  const { internet, world, servers } = await town([{}])
  const { envelope } = load(['b@x.test'])
  const content = Buffer.from('Subject: x\r\n\r\n.hello')
  const sending = sendMail(world, { host: 'mx0.test', port: 25, envelope, content })
  const sent = await internet.complete(sending)
  assert.equal(short(sent), 'delivered 2.0.0 mx0.test')
  assert.match(sent.dialogue, /^S: 220 mx\.test\nC: EHLO localhost\n/)
  assert.deepEqual(servers[0]?.messages, ['Subject: x\r\n\r\n..hello\r\n'])
  const nobody = sendMail(world, { host: 'gone.test', port: 25, envelope, content })
  assert.equal(short(await internet.complete(nobody)), 'deferred 4.4.4')
})

test('an LMTP hop answers for each recipient, and what it has taken is delivered', async () => {
  const replies = { LHLO: '250 mx.test', RCPT: '250 ok', '.': '250 2.1.5 kept\r\n452 4.2.2 full' }
  const { carry, servers } = await town([{ replies }])
  const route: Route = {
    kind: 'smarthost',
    host: 'mx0.test',
    port: 25,
    tls: 'never',
    protocol: 'lmtp',
  }
  const carried = await carry(load(['a@x.test', 'b@x.test']), route)
  assert.equal(short(carried), 'delivered 2.1.5 mx0.test, deferred 4.2.2 mx0.test')
  assert.equal(carried.outcomes[0]?.kind === 'delivered' && carried.outcomes[0].how, 'mailbox')
  assert.equal(servers[0]?.lines[0], 'LHLO us.test')
  // The same host by SMTP is another place.
  await carry(load(['a@x.test']), { ...route, protocol: 'smtp' })
  assert.equal(servers[0]?.connections, 2)
})

/** The load, with something asked of its sender. */
function asking(asked: Partial<Load['envelope']['sender']>): Load {
  const plain = load(['b@x.test'])
  const { sender, recipients } = plain.envelope
  return { ...plain, envelope: { recipients, sender: { ...sender, ...asked } } }
}

const proven: Route = { kind: 'smarthost', host: 'mx0.test', port: 25, tls: 'require' }

for (const [name, route, script, outcome] of [
  ['by the hosts of a domain', { kind: 'mx', domain: 'x.test' }, {}, 'failed 5.7.30'],
  ['by a host taken on trust', { ...proven, tls: 'opportunistic' }, {}, 'failed 5.7.30'],
  ['by a host in the clear', { ...proven, tls: 'never' }, {}, 'failed 5.7.30'],
  ['by a verified host', proven, {}, 'delivered 2.0.0'],
  ['by a verified host without it', proven, { extensions: [] }, 'failed 5.7.30'],
  ['by a host of another name', proven, { identity: simIdentity(['y.test']) }, 'deferred 4.7.5'],
] as const) {
  test(`RFC 8689: what requires TLS goes ${name}: ${outcome}`, async () => {
    const extensions = ['STARTTLS', 'REQUIRETLS']
    const host = { identity: simIdentity(['mx0.test']), extensions, ...script }
    const offered = script && 'extensions' in script ? ['STARTTLS'] : extensions
    const place = await town([{ ...host, extensions: offered }])
    const carried = await place.carry(asking({ requireTls: true }), route)
    assert.equal(short(carried).replace(/ mx0\.test$/, ''), outcome)
    const said = place.servers[0]?.lines.filter(line => line.startsWith('MAIL'))
    assert.deepEqual(
      said,
      outcome.startsWith('delivered') ? ['MAIL FROM:<a@us.test> REQUIRETLS'] : [],
    )
  })
}

test('RFC 8689 §5: a notice that requires TLS goes on all the same', async () => {
  const place = await town([{}])
  const carried = await place.carry(asking({ requireTls: true, reversePath: null }))
  assert.match(short(carried), /^delivered/)
})

test('RFC 8689 §5: TLS-Required: No outweighs a setting that demands TLS, for this message alone', async () => {
  const place = await town([{ extensions: [] }], { tls: 'require' })
  assert.match(short(await place.carry()), /^deferred 4\.7\.4/)
  assert.match(short(await place.carry(asking({ tlsOptional: true }))), /^delivered/)
  assert.match(short(await place.carry()), /^deferred 4\.7\.4/)
})

const large = `Subject: x\r\n\r\n${'abcdefgh\r\n'.repeat(25_000)}`
for (const [how, extensions, text] of [
  ['by DATA', ['SIZE 0'], undefined],
  ['by DATA, pipelined', ['PIPELINING'], undefined],
  ['by DATA, read piece by piece', ['PIPELINING'], large],
] as const) {
  test(`a load that another node may carry by now is not ended here, whenever that shows: ${how}`, async () => {
    // Asked ever later, until nobody asks any more: then it is delivered.
    for (let asked = 0, delivered = false; !delivered; asked++) {
      assert.ok(asked < 20)
      const { carry, servers } = await town([{ extensions }, { extensions }])
      let left = asked
      const whole = load(['b@x.test'], text)
      async function* pieces() {
        const octets = whole.content() as Uint8Array
        for (let at = 0; at < octets.length; at += 65_536) yield octets.subarray(at, at + 65_536)
      }
      const content = text === undefined ? whole.content : pieces
      const carried = await carry({ ...whole, content, lapsed: () => left-- <= 0 })
      delivered = carried.outcomes[0]?.kind === 'delivered'
      if (!delivered) {
        assert.match(short(carried), /^deferred 4\.(3\.0|4\.1)( mx0\.test)?$/)
        const heard = servers.map(({ connections, messages }) => [connections, messages.length])
        assert.deepEqual(
          heard,
          [
            [asked > 0 ? 1 : 0, 0],
            [0, 0],
          ],
          'and no other host is asked',
        )
      } else assert.ok(asked > 2, 'it was asked right before the end too')
    }
  })
}
