/** Servers and zones that lie, each with the findings it must bring: a table of faults in the simulated internet. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeServer, type Script } from '../transport/fake-server.ts'
import { createWorld, type SimRecords, simIdentity } from '../world/sim/index.ts'
import { fingerprintOf } from '../world/sim/tls.ts'
import { type DiagnoseOptions, diagnose } from './diagnose.ts'
import type { Section } from './finding.ts'
import { type PlanFlags, planOf } from './plan.ts'

const DAY = 86_400_000
const NOW = 1_893_456_000_000
const GOOD = simIdentity(['mx.test'])
const NAMES = 'PIPELINING,SIZE 50000000,8BITMIME,SMTPUTF8,ENHANCEDSTATUSCODES,DSN'.split(',')
/** A server with nothing wrong. */
const FINE: Script = {
  greeting: '220 mx.test ESMTP',
  extensions: [...NAMES, 'STARTTLS'],
  identity: GOOD,
}
/** A domain with nothing wrong. */
const ZONES: Readonly<Record<string, SimRecords>> = {
  'x.test': { mx: [[10, 'mx.test']], txt: ['v=spf1 mx -all'] },
  '_dmarc.x.test': { txt: ['v=DMARC1; p=reject'] },
}

interface Case {
  readonly subject?: string
  readonly flags?: PlanFlags
  readonly script?: Script
  /** No server at all. */
  readonly down?: boolean
  /** A host that is off. */
  readonly silent?: boolean
  readonly zones?: Readonly<Record<string, SimRecords>>
  readonly fails?: Readonly<Record<string, 'SERVFAIL' | 'timeout'>>
  readonly options?: Partial<DiagnoseOptions>
  readonly port?: number
}

/** Diagnoses the one host there is, as the case has it. */
async function run(given: Case): Promise<readonly Section[]> {
  const internet = createWorld({ seed: 1 })
  const us = internet.host({ name: 'us.test', addresses: ['192.0.2.1'] })
  const mx = internet.host({ name: 'mx.test', addresses: ['198.51.100.1', '2001:db8::1'] })
  const server = new FakeServer({ ...FINE, ...given.script })
  if (!given.down) await internet.complete(server.listen(mx.world, given.port ?? 25))
  for (const zones of [ZONES, given.zones ?? {}]) {
    for (const [name, records] of Object.entries(zones)) internet.zones.set(name, records)
  }
  if (given.silent) mx.crash('silence')
  for (const [name, failure] of Object.entries(given.fails ?? {}))
    internet.zones.fail(name, failure)
  const plan = planOf(given.subject ?? 'x.test', given.flags ?? {})
  assert.ok(plan)
  const sections: Section[] = []
  const all = async () => {
    const options = { plan, hostname: 'us.test', ...given.options }
    for await (const section of diagnose(us.world, options)) sections.push(section)
  }
  await internet.complete(all(), '20 minutes')
  assert.equal(server.messages.length, 0, 'no message is ever sent')
  assert.equal(
    server.lines.some(line => /^(?:DATA|BDAT)/i.test(line)),
    false,
  )
  return sections
}

/** The findings that are worse than a note, once each; and those of `also`. */
function namesOf(sections: readonly Section[], also: readonly string[] = []): string {
  const found = sections.flatMap(({ steps }) => steps.flatMap(({ findings }) => findings))
  const told = found.filter(({ name, severity }) => {
    return severity === 'warning' || severity === 'fault' || also.includes(name)
  })
  return [...new Set(told.map(({ name, severity }) => `${severity} ${name}`))].join(', ')
}

const replies = (given: Record<string, string>): Case => ({ script: { replies: given } })
const asked = (RCPT: string): Case => ({ subject: 'joe@x.test', ...replies({ RCPT }) })
const greeted = (greeting: string): Case => ({ script: { greeting } })
const zone = (records: SimRecords, more: Case['zones'] = {}): Case => ({
  zones: { 'x.test': records, ...more },
})
const certified = (
  names: readonly string[],
  trusted: boolean,
  more: Parameters<typeof simIdentity>[2] = {},
): Case => ({ script: { identity: simIdentity(names, trusted, more) } })

/** A submission server that is logged in at. */
const login = (given: Record<string, string>, identity = GOOD): Case => ({
  subject: 'mx.test:587',
  port: 587,
  options: { login: { username: 'ann', password: 'secret' } },
  script: { extensions: [...NAMES, 'STARTTLS', 'AUTH PLAIN'], identity, replies: given },
})

const cases: readonly (readonly [string, Case, string])[] = [
  ['a domain with nothing wrong', {}, ''],
  ['an address that is taken', { subject: 'joe@x.test' }, ''],

  // Names.
  ['a domain that does not exist', { subject: 'gone.test' }, 'fault no-such-domain'],
  ['a name server that fails', { fails: { 'x.test': 'SERVFAIL' } }, 'fault dns-fails'],
  ['a name server that is silent', { fails: { 'x.test': 'timeout' } }, 'fault dns-fails'],
  ['a domain that takes no mail', zone({ mx: [[0, '.']] }), 'fault null-mx'],
  [
    'null MX among others',
    zone({
      mx: [
        [0, '.'],
        [10, 'mx.test'],
      ],
      txt: ['v=spf1 mx -all'],
    }),
    'warning null-mx-among-others',
  ],
  [
    'an address in an MX record',
    zone({ mx: [[0, '198.51.100.1']] }),
    'fault mx-is-address, fault no-usable-host',
  ],
  [
    'an MX host that is none',
    zone({
      mx: [
        [0, 'a_b.test'],
        [1, 'mx.test'],
      ],
    }),
    'fault mx-is-no-host-name',
  ],
  [
    'an MX host that does not exist',
    zone({
      mx: [
        [0, 'no.test'],
        [1, 'mx.test'],
      ],
    }),
    'fault mx-without-address',
  ],
  [
    'an MX host without an address',
    zone(
      {
        mx: [
          [0, 'bare.test'],
          [1, 'mx.test'],
        ],
      },
      { 'bare.test': { txt: ['x'] } },
    ),
    'fault mx-without-address',
  ],
  [
    'an MX host that is an alias',
    {
      ...zone({ mx: [[0, 'alias.test']] }, { 'alias.test': { cname: 'mx.test' } }),
      ...{ script: { identity: simIdentity(['alias.test']) } },
    },
    'warning mx-is-alias',
  ],
  [
    'an MX host whose address cannot be looked up',
    {
      ...zone({
        mx: [
          [0, 'lost.test'],
          [1, 'mx.test'],
        ],
      }),
      fails: { 'lost.test': 'SERVFAIL' },
    },
    'fault dns-fails',
  ],
  [
    'an MX host on a private network',
    zone({ mx: [[0, 'in.test']] }, { 'in.test': { a: ['10.1.2.3'] } }),
    'fault address-private, fault connect-unreachable',
  ],
  [
    'an MX host on loopback',
    zone({ mx: [[0, 'lo.test']] }, { 'lo.test': { a: ['127.0.0.1'] } }),
    'fault address-loopback, fault connect-refused',
  ],
  [
    'an MX host at no address of a host',
    zone({ mx: [[0, 'zero.test']] }, { 'zero.test': { a: ['0.0.0.0'] } }),
    'fault address-unusable, fault no-usable-host',
  ],
  ['two SPF records', zone({ txt: ['v=spf1 mx -all', 'v=spf1 -all'] }), 'warning spf-several'],
  ['SPF that lets everybody', zone({ txt: ['v=spf1 mx +all'] }), 'warning spf-allows-all'],
  [
    'two DMARC records',
    { zones: { '_dmarc.x.test': { txt: ['v=DMARC1; p=none', 'v=DMARC1; p=none'] } } },
    'warning dmarc-several',
  ],
  ['no key under a selector', { options: { selectors: ['s1'] } }, 'warning dkim-missing'],
  [
    'a key that was revoked',
    { options: { selectors: ['s1'] }, zones: { 's1._domainkey.x.test': { txt: ['v=DKIM1; p='] } } },
    'warning dkim-revoked',
  ],
  [
    'our own address without a name',
    {
      options: { own: true, ours: ['mx.test'] },
      zones: { '198.51.100.1': { ptr: [] }, '2001:db8::1': { ptr: [] } },
    },
    'warning reverse-missing',
  ],
  [
    'our own address whose name leads elsewhere',
    { options: { own: true, ours: ['mx.test'] }, zones: { '198.51.100.1': { ptr: ['us.test'] } } },
    'warning reverse-unconfirmed',
  ],
  [
    'our own domain whose mail goes elsewhere',
    { options: { own: true, ours: ['we.test'] } },
    'fault mx-elsewhere',
  ],

  // The way there.
  ['a host where nothing listens', { down: true }, 'fault connect-refused'],
  ['a host that is off', { silent: true }, 'fault connect-silent, warning port-25-blocked'],
  ['a server that says nothing', greeted('silence'), 'fault greeting-silent'],
  ['a server that hangs up at once', greeted(''), 'fault greeting-none'],
  ['a server that greets with a refusal', greeted('554 no mail here'), 'fault greeting-refused'],
  ['a server that greets with 421', greeted('421 4.3.2 busy'), 'fault greeting-refused'],
  [
    'a server with a block list',
    greeted('554 5.7.1 Client host blocked using zen.spamhaus.org'),
    'fault blocked-here',
  ],
  [
    'a server that wants our name',
    greeted('550 5.7.25 no PTR for your address'),
    'fault our-reverse-wanted',
  ],
  ['SSH where SMTP should be', greeted('SSH-2.0-OpenSSH_9.6'), 'fault another-protocol'],
  ['IMAP where SMTP should be', greeted('* OK IMAP4rev1 ready'), 'fault another-protocol'],
  [
    'a firewall that rewrites the greeting',
    greeted('220 ********************'),
    'warning greeting-masked',
  ],
  ['a greeting without a name', greeted('220 localhost ESMTP'), 'warning greeting-nameless'],
  [
    'EHLO that is refused',
    replies({ EHLO: '502 5.5.1 what?' }),
    'warning hello-only, warning tls-missing',
  ],
  [
    'EHLO and HELO that are refused',
    replies({ EHLO: '502 what?', HELO: '502 what?' }),
    'fault hello-refused',
  ],
  [
    'EHLO that wants a better name',
    replies({ EHLO: '550 5.7.1 bad HELO name', HELO: '550 bad HELO name' }),
    'fault our-name-refused',
  ],
  ['421 to EHLO', replies({ EHLO: '421 4.3.2 busy' }), 'fault hello-refused'],
  [
    'a firewall that blots out extensions',
    { script: { extensions: ['XXXXXXXA', 'SIZE'] } },
    'warning hello-masked, warning tls-missing',
  ],
  [
    'a server that takes little',
    { script: { extensions: ['SIZE 1000000', 'STARTTLS'] } },
    'warning size-small',
  ],
  ['a hang-up at EHLO', replies({ EHLO: '' }), 'fault session-ended'],
  ['silence at EHLO', replies({ EHLO: 'silence' }), 'fault too-slow'],
  ['nonsense at EHLO', replies({ EHLO: 'hello yourself' }), 'fault out-of-protocol'],

  // TLS.
  ['no STARTTLS', { script: { extensions: NAMES } }, 'warning tls-missing'],
  ['STARTTLS that is refused', replies({ STARTTLS: '454 4.7.0 not now' }), 'warning tls-refused'],
  [
    'a handshake that fails',
    {
      script: {
        greeting: '220 mx.test',
        extensions: [...NAMES, 'STARTTLS'],
        identity: {
          current: () => {
            throw new Error('no key')
          },
        },
      },
    },
    'fault tls-fails',
  ],
  [
    'a handshake that fails, and a hang-up in clear text',
    {
      subject: 'joe@x.test',
      ...replies({ STARTTLS: '220 go\r\n250 injected', RCPT: '' }),
    },
    'fault tls-injection, fault session-ended',
  ],
  [
    'clear text behind STARTTLS',
    replies({ STARTTLS: '220 go\r\n250 injected' }),
    'fault tls-injection',
  ],
  ['a self-signed certificate', certified(['mx.test'], false), 'warning certificate-self-signed'],
  [
    'a certificate that is the one that was pinned',
    { ...certified(['other.test'], false), options: { pins: [fingerprintOf(['other.test'])] } },
    '',
  ],
  [
    'a certificate that is another than was pinned',
    { ...certified(['mx.test'], true), options: { pins: [fingerprintOf(['other.test'])] } },
    'fault certificate-not-pinned',
  ],
  [
    'a chain that is not whole',
    certified(['mx.test'], false, { fault: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }),
    'warning certificate-incomplete',
  ],
  [
    'an authority nobody knows',
    certified(['mx.test'], false, { fault: 'SELF_SIGNED_CERT_IN_CHAIN' }),
    'warning certificate-untrusted',
  ],
  [
    'a certificate that has ended',
    certified(['mx.test'], false, { fault: 'CERT_HAS_EXPIRED', validTo: NOW - DAY }),
    'warning certificate-expired',
  ],
  [
    'a certificate that ends soon',
    certified(['mx.test'], true, { validFrom: NOW - 80 * DAY, validTo: NOW + 5 * DAY }),
    'warning certificate-expires-soon',
  ],
  [
    'a certificate of tomorrow',
    certified(['mx.test'], false, { fault: 'CERT_NOT_YET_VALID', validFrom: NOW + DAY }),
    'warning certificate-early',
  ],
  [
    'a certificate for another name',
    certified(['other.test'], true),
    'warning certificate-other-name',
  ],
  [
    'a certificate with everything wrong',
    certified(['other.test'], false, { validTo: NOW - DAY }),
    'warning certificate-self-signed, warning certificate-other-name, warning certificate-expired',
  ],

  // Logins.
  [
    'passwords asked for in clear text',
    { script: { extensions: [...NAMES, 'STARTTLS', 'AUTH PLAIN LOGIN'] } },
    'warning login-in-clear',
  ],
  [
    'a submission port without logins',
    { subject: 'mx.test:587', port: 587 },
    'fault login-missing',
  ],
  [
    'a submission port with a self-signed certificate',
    { subject: 'mx.test:587', port: 587, ...certified(['mx.test'], false) },
    'fault certificate-self-signed, fault login-missing',
  ],

  ['a login that works', login({ AUTH: '235 2.7.0 ok' }), 'warning login-in-clear'],
  [
    'a login that is refused',
    login({ AUTH: '535 5.7.8 no' }),
    'warning login-in-clear, fault login-refused',
  ],
  [
    'a login at a server that nobody vouches for',
    login({ AUTH: '235 2.7.0 ok' }, simIdentity(['mx.test'], false)),
    'fault certificate-self-signed, warning login-in-clear, fault login-unsafe',
  ],
  [
    'a login at a server with no TLS',
    {
      ...login({ AUTH: '235 2.7.0 ok' }),
      script: { extensions: [...NAMES, 'AUTH PLAIN'], replies: { AUTH: '235 ok' } },
    },
    'fault tls-missing, warning login-in-clear, fault login-unsafe',
  ],

  // Recipients.
  ['a mailbox that is not there', asked('550 5.1.1 no such user'), 'fault recipient-unknown'],
  ['a mailbox that is full', asked('452 4.2.2 mailbox full'), 'fault recipient-full'],
  ['greylisting', asked('450 4.7.1 Greylisted, see you'), 'warning recipient-greylisted'],
  ['not now', asked('451 4.3.0 try again later'), 'fault recipient-later'],
  [
    'a host that does not know the domain',
    asked('550 5.7.1 Relaying denied'),
    'fault relaying-denied',
  ],
  ['a policy', asked('550 5.7.1 not from you'), 'fault recipient-blocked'],
  ['a block list at RCPT', asked('554 5.7.1 listed at dnsbl.test'), 'fault blocked-here'],
  ['a refusal that says nothing', asked('550 no'), 'fault recipient-refused'],
  ['421 at RCPT', asked('421 4.7.0 too many errors'), 'fault session-ended'],
  ['a hang-up at RCPT', asked(''), 'fault session-ended'],
  ['silence at RCPT', asked('silence'), 'fault too-slow'],
  [
    'the null sender refused',
    { subject: 'joe@x.test', ...replies({ MAIL: '550 5.7.1 no null sender' }) },
    'fault sender-refused',
  ],
  [
    'a port that wants a login',
    { subject: 'joe@x.test', ...replies({ MAIL: '530 5.7.0 Authentication required' }) },
    'fault login-required',
  ],
  [
    'an address beyond ASCII without SMTPUTF8',
    { subject: 'jörg@x.test', script: { extensions: ['STARTTLS'] } },
    'fault utf8-missing',
  ],
  [
    'postmaster and abuse that our own server refuses',
    {
      flags: { own: true },
      options: { own: true, ours: ['mx.test'] },
      ...replies({ RCPT: '550 5.1.1 nobody' }),
    },
    'fault postmaster-refused, warning abuse-refused',
  ],
  [
    'an open relay of our own',
    { options: { own: true, ours: ['mx.test'], relayTo: 'who@else.test' } },
    'fault open-relay, warning relay-by-local-part',
  ],
  [
    'a server of our own that relays for nobody',
    {
      options: { own: true, ours: ['mx.test'], relayTo: 'who@else.test' },
      ...replies({ RCPT: '550 5.7.1 relaying denied' }),
    },
    '',
  ],
]

for (const [title, given, expected] of cases) {
  test(`diagnosis: ${title}`, async () => {
    const sections = await run(given)
    assert.equal(namesOf(sections), expected, JSON.stringify(sections, undefined, 1))
  })
}
