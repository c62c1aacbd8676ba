/** The settings of routes and hops: what is wrong is said with its place and what to do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rulesOf } from '../route-rules.ts'
import { formatSettingError, settingErrors } from './errors.ts'
import { contradictions } from './layers.ts'
import { routeWarnings } from './routes.ts'
import { settingsSchema } from './settings.ts'

function errorsOf(raw: unknown): string[] {
  const parsed = settingsSchema.safeParse(raw)
  const errors = parsed.success
    ? contradictions(parsed.data)
    : settingErrors(settingsSchema, parsed.error.issues)
  return errors.map(formatSettingError)
}

for (const [routes, ...expected] of [
  [
    [{ match: { recipient: 'far.example' }, to: 'mx' }],
    'routes[0].match.recipient: "far.example" is no pattern of addresses: write joe@example.org, @example.org for all of a domain, *@*.example.org, or local or remote',
  ],
  [
    [{ match: { sender: ['@a.example', 'b'] }, to: 'mx' }],
    'routes[0].match.sender[1]: "b" is no pattern of addresses: write joe@example.org, @example.org for all of a domain, or *@*.example.org',
  ],
  [
    [{ match: { source: 'mx1' }, to: 'mx' }],
    'routes[0].match.source: "mx1" is neither a network, such as 10.0.0.0/8, nor mx, submission, local or notice',
  ],
  [
    [{ match: { size: '10MB' }, to: 'mx' }],
    'routes[0].match.size: "10MB" is no bound of sizes, such as >10MB, <=500KB or >1MB <10MB',
  ],
  [
    [{ match: { header: { 'a b': 'x' } }, to: 'mx' }],
    'routes[0].match.header["a b"]: is no name of a header field',
  ],
  [
    [{ match: { recipients: '@a.example' }, to: 'mx' }],
    'routes[0].match.recipients: there is no such setting; did you mean `recipient`?',
  ],
  [
    [{ to: { hop: 'relai' } }],
    'routes[0].to.hop: there is no hop "relai" in outbound.hops; did you mean `relay`?',
  ],
  [
    [{ to: { hop: ['relay', 'bulk'] } }],
    'routes[0].to.hop[1]: "bulk" has no host and leads to the domain\'s own hosts; write it first in the list',
  ],
  [
    [{ to: {} }],
    "routes[0].to: must be one of 'local', 'mx', 'discard', 'hold', or must have exactly one of hop, pipe, maildir, mbox, hold, reject",
  ],
  [
    [{ to: { hop: 'relay', hold: 'x' } }],
    "routes[0].to: must be one of 'local', 'mx', 'discard', 'hold', or must have exactly one of hop, pipe, maildir, mbox, hold, reject",
  ],
  [[{ to: { pipe: ['uux', '-'] } }], 'routes[0].to.pipe: "uux" is no absolute path of a program'],
  [
    [{ to: { pipe: { argv: ['/bin/x', '{recipients}', 'a{recipients}'] } } }],
    'routes[0].to.pipe.argv: {recipients} is an argument of its own, alone',
  ],
  [
    [{ to: { pipe: ['/bin/x', '{host}'] } }],
    'routes[0].to.pipe: there is no {host}; known are {sender}, {recipient}, {local}, {user}, {detail}, {domain}, {node}, {id}',
  ],
  [[{ to: { maildir: 'Maildir' } }], 'routes[0].to.maildir: is no absolute path'],
  [
    [{ to: { mbox: '/var/{sender}' } }],
    'routes[0].to.mbox: there is no {sender}; known are {local}, {user}, {detail}, {domain}, {node}',
  ],
  [
    [{ to: { reject: { status: '4.7.1', text: 'no' } } }],
    'routes[0].to.reject.status: is no status such as 5.7.1',
  ],
  [[{ match: {} }], "routes[0].to: must be one of 'local', 'mx', 'discard', 'hold', or a group"],
] as const) {
  test(expected[0], () => {
    const hops = { relay: { host: 'relay.example' }, bulk: { hostname: 'bulk.example' } }
    const errors = errorsOf({ routes, outbound: { hops } })
    assert.equal(errors.length, expected.length)
    if (expected[0].includes('or a group')) assert.match(errors[0] ?? '', /^routes\[0\]\.to: /)
    else assert.deepEqual(errors, expected)
  })
}

for (const [hop, expected] of [
  [{ username: 'u' }, 'username and password (or token) go together: write both, or neither'],
  [{ username: 'u', password: 'p' }, 'without a host, there is no username'],
  [{ tls: 'implicit' }, 'without a host, tls cannot be implicit'],
  [{ protocol: 'lmtp' }, 'without a host, protocol cannot be lmtp'],
] as const) {
  test(`outbound.hops: ${expected}`, () => {
    assert.deepEqual(errorsOf({ outbound: { hops: { a: hop } } }), [`outbound.hops.a: ${expected}`])
  })
}

test('rules that never match and hops that are never used are told of', () => {
  const { routes, outbound } = settingsSchema.parse({
    routes: [
      { match: { recipient: '@a.example' }, to: { hop: 'one' } },
      { match: { recipient: 'joe@a.example', source: 'mx' }, to: 'mx' },
      { match: { recipient: '@b.example' }, to: 'mx' },
      { to: 'mx' },
      { match: { size: '>1MB' }, to: 'mx' },
    ],
    outbound: { hops: { one: { host: 'a' }, two: { host: 'b' }, three: { senders: ['@c'] } } },
  })
  assert.deepEqual(routeWarnings({ routes, hops: outbound.hops }), [
    'routes[1]: never matches, since routes[0] matches all that it does',
    'routes[4]: never matches, since routes[3] matches all that it does',
    'outbound.hops.two: is used by no rule and has no senders',
  ])
})

test('a hop is completed by what goes without saying', () => {
  const settings = settingsSchema.parse({
    outbound: {
      hops: {
        relay: {
          host: 'relay.example',
          username: 'u',
          password: 'p',
          sourceAddress: '192.0.2.1',
          without: ['chunking', 'X-EXPS'],
        },
        dovecot: { host: '/run/lmtp', protocol: 'lmtp' },
        bulk: { hostname: 'bulk.example', senders: ['@news.example'] },
      },
    },
    routes: [{ match: { sender: '@x.example' }, to: { hop: ['relay', 'dovecot'] } }],
  })
  const { all } = rulesOf(settings, { has: () => false })
  const recipient = { local: 'bob', domain: 'far.example' }
  assert.deepEqual(all.rules[0]?.to(recipient), {
    kind: 'smarthost',
    name: 'relay, dovecot',
    host: 'relay.example',
    port: 587,
    tls: 'require',
    protocol: 'smtp',
    login: { username: 'u', password: 'p' },
    sourceAddresses: ['192.0.2.1'],
    without: ['CHUNKING', 'X-EXPS'],
    instead: [{ host: '/run/lmtp', port: 24, tls: 'never', protocol: 'lmtp' }],
  })
  assert.deepEqual(all.bySender[0]?.to(recipient), {
    kind: 'mx',
    domain: 'far.example',
    egress: { hostname: 'bulk.example' },
    name: 'bulk',
  })
})
