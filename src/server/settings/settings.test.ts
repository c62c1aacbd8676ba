/** Settings: measures, --set, layers, and errors that help. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDuration, formatSize, parseDuration, parseSize } from '../../wire/measure.ts'
import { formatNetwork } from '../../wire/network.ts'
import { formatSettingError, type SettingError, settingErrors } from './errors.ts'
import { judge } from './judge.ts'
import { contradictions, fetchSecrets, layer } from './layers.ts'
import { override } from './override.ts'
import { type Settings, settingsSchema } from './settings.ts'

/** All errors of a raw config, as lines. */
function errorsOf(raw: object): string[] {
  const parsed = settingsSchema.safeParse(raw)
  const errors = parsed.success
    ? contradictions(parsed.data)
    : settingErrors(settingsSchema, parsed.error.issues)
  return errors.map(formatSettingError)
}

function withSet(...assignments: string[]): Settings {
  const { raw, errors } = override(settingsSchema, {}, assignments)
  assert.deepEqual(errors, [])
  return settingsSchema.parse(raw)
}

test('a duration is numbers with units, longest unit first', () => {
  for (const [text, durationMs] of [
    ['0', 0],
    ['250ms', 250],
    ['2s', 2000],
    ['1.5h', 5_400_000],
    ['1h30m', 5_400_000],
    ['5d', 432_000_000],
    ['2 h', 7_200_000],
  ] as const) {
    assert.equal(parseDuration(text), durationMs, text)
  }
  for (const text of ['', '5', '4 hours', '-1s', '30m1h', '1s1s', '1e3s', '99999d', 's', '1h x']) {
    assert.equal(parseDuration(text), undefined, text)
  }
})

test('a size counts by 1024 under every spelling', () => {
  for (const [text, octets] of [
    ['100', 100],
    ['1KB', 1024],
    ['1k', 1024],
    ['50MB', 52_428_800],
    ['1.5 MiB', 1_572_864],
    ['2G', 2_147_483_648],
  ] as const) {
    assert.equal(parseSize(text), octets, text)
  }
  for (const text of ['', 'MB', '-1', '1TBX', '0x10', '1 000']) {
    assert.equal(parseSize(text), undefined, text)
  }
})

test('what is printed of a measure reads back as the same', () => {
  for (const durationMs of [0, 1, 250, 90_000, 5_400_000, 432_000_000, 86_399_999]) {
    assert.equal(parseDuration(formatDuration(durationMs)), durationMs)
  }
  assert.equal(formatSize(52_428_800), '50MB')
  assert.equal(formatSize(1), '1B')
})

test('the defaults are the documented ones', () => {
  const settings = settingsSchema.parse({})
  assert.equal(settings.limits.messageSize, 52_428_800)
  assert.equal(settings.queue.expire, 432_000_000)
  assert.equal(settings.queue.delayWarning, 14_400_000)
  assert.equal(settings.submission.enforceSender, true)
  assert.equal(settings.listeners.smtp.bareLineEnds, 'refuse')
  assert.equal(settings.listeners.submission.bareLineEnds, 'normalize')
})

test('--set reads its text as the schema wants it', () => {
  const settings = withSet(
    'queue.retry=2s,4s,8s',
    'queue.delayWarning=10s',
    'queue.expire=1m',
    'limits.messageSize=100000',
    'limits.perAddress=7',
    'outbound.replyTimeout=3s',
    'submission.enforceSender=false',
    'outbound.smarthost=[::1]:2525',
    'listeners.smtp.without=chunking,dsn',
    'aliases.team@example.org=a@example.org,b@example.net',
    'domains=example.org,example.net',
  )
  assert.deepEqual(settings.queue.retry, [2000, 4000, 8000])
  assert.equal(settings.queue.delayWarning, 10_000)
  assert.equal(settings.queue.expire, 60_000)
  assert.equal(settings.limits.messageSize, 100_000)
  assert.equal(settings.limits.perAddress, 7)
  assert.equal(settings.outbound.replyTimeout, 3000)
  assert.equal(settings.submission.enforceSender, false)
  const { host, port, tls } = settings.outbound.smarthost ?? {}
  assert.deepEqual([host, port, tls], ['::1', 2525, 'opportunistic'])
  assert.deepEqual(settings.listeners.smtp.without, ['CHUNKING', 'DSN'])
  assert.deepEqual(settings.aliases['team@example.org'], ['a@example.org', 'b@example.net'])
  assert.deepEqual(settings.domains, ['example.org', 'example.net'])
})

test('a trusted network is one, and not a host in it', () => {
  const { smtp } = withSet('listeners.smtp.proxyProtocol=10.0.0.0/8,::1').listeners
  assert.deepEqual(smtp.proxyProtocol.map(formatNetwork), ['10.0.0.0/8', '::1/128'])
  const proxyProtocol = ['10.1.2.3/8', 'proxy.example.org']
  assert.deepEqual(errorsOf({ listeners: { pop3s: { proxyProtocol } } }), [
    'listeners.pop3s.proxyProtocol[0]: "10.1.2.3/8" is a host within a network: write 10.0.0.0/8, or the host alone',
    'listeners.pop3s.proxyProtocol[1]: "proxy.example.org" is no network, such as 10.0.0.0/8, 2001:db8::/32 or 192.0.2.1',
  ])
})

test('an extension is switched by a keyword that is known, in any case', () => {
  const { submission } = withSet('listeners.submission.with=expn').listeners
  assert.deepEqual(submission.with, ['EXPN'])
  const errors = errorsOf({
    listeners: {
      smtp: { with: ['EXPN', 'CHUNKS'], without: ['PIPELINE'] },
      lmtp: { with: ['PIPELINING'] },
    },
  })
  assert.equal(errors.length, 3, errors.join('\n'))
  assert.match(errors[0] ?? '', /^listeners\.smtp\.with\[1\]: must be one of .*'EXPN'/)
  assert.match(
    errors[1] ?? '',
    /^listeners\.smtp\.without\[0\]: must be one of 'PIPELINING', 'SIZE'/,
  )
  assert.match(errors[2] ?? '', /^listeners\.lmtp\.with\[0\]: must be one of /)
  assert.deepEqual(errorsOf({ listeners: { smtp: { with: ['EXPN'], without: ['expn'] } } }), [
    'listeners.smtp.with: EXPN is in `without` too; remove one of the two',
  ])
})

test('a group that was text is replaced when --set goes below it', () => {
  const raw = { outbound: { smarthost: 'relay.example.org:25' } }
  const result = override(settingsSchema, raw, ['outbound.smarthost.host=other.example.org'])
  const settings = settingsSchema.parse(result.raw)
  assert.equal(settings.outbound.smarthost?.host, 'other.example.org')
  assert.equal(raw.outbound.smarthost, 'relay.example.org:25')
})

test('what --set says of a smart host joins a HOST:PORT of the flag, of the file or of an earlier --set', () => {
  const login = ['outbound.smarthost.username=joe', 'outbound.smarthost.password=secret']
  const set = ['outbound.smarthost.tls=never', ...login]
  const cases = [
    { source: { smarthost: '[::1]:2525', set }, raw: {} },
    { source: { set }, raw: { outbound: { smarthost: '[::1]:2525' } } },
    { source: { set: ['outbound.smarthost=[::1]:2525', ...set] }, raw: {} },
  ]
  for (const { source, raw } of cases) {
    const judged = judge({ source, raw, base: '/' })
    assert.ok('settings' in judged, JSON.stringify(judged))
    const { host, port, tls, username, password } = judged.settings.outbound.smarthost ?? {}
    assert.deepEqual([host, port, tls], ['::1', 2525, 'never'])
    assert.deepEqual([username, password], ['joe', 'secret'])
  }
})

test('--set of an unknown path says what was meant, and touches nothing', () => {
  const { raw, errors } = override(settingsSchema, {}, [
    'queue.retri=1s',
    '__proto__.x=1',
    'queue',
    'limits.messageSize.x=1',
  ])
  assert.deepEqual(raw, {})
  assert.match(
    formatSettingError(errors[1] as SettingError),
    /^__proto__\.x: .*; known are hostname/,
  )
  assert.deepEqual(errors.toSpliced(1, 1).map(formatSettingError), [
    'queue.retri: there is no such setting; did you mean `retry`?',
    'queue: has no value; write --set PATH=VALUE',
    'limits.messageSize.x: there is no such setting; remove it',
  ])
})

for (const [raw, expected] of [
  [{ listeners: { smtp: { prot: 25 } } }, 'listeners.smtp.prot: ...; did you mean `port`?'],
  [{ outbound: { smarthost: { host: 'a', user: 'b' } } }, '...; did you mean `username`?'],
  [{ smarthost: 'relay.example:587' }, 'smarthost: ...; did you mean `outbound.smarthost`?'],
  [{ listeners: { imap: { host: '::' } } }, 'listeners.imap.host: ...; known are enabled'],
  [{ listeners: { smtp: false } }, 'listeners.smtp: ...; write { enabled: false } to have none'],
  [{ routes: [{ to: { smtp: 'a' } }] }, 'routes[0].to.smtp: ...; known are hop, pipe'],
] as const) {
  test(`what was meant is said of ${JSON.stringify(raw)}`, () => {
    const [error = ''] = errorsOf(raw)
    const [start = '', end = ''] = expected.split('...')
    assert.ok(error.startsWith(start) && error.includes(end), error)
  })
}

test('a name server is an IP address, with a port or none', () => {
  const servers = ['192.0.2.53', '127.0.0.1:5353', '::1', '[::1]:53']
  assert.deepEqual(settingsSchema.parse({ dns: { servers } }).dns.servers, servers)
  const wrong = ['ns.example.org', '192.0.2.300', '127.0.0.1:99999']
  assert.deepEqual(
    errorsOf({ dns: { servers: wrong } }),
    wrong.map((_, n) => `dns.servers[${n}]: is no IP address, such as 192.0.2.53 or [::1]:53`),
  )
})

test('all errors come at once, each with its path and what to do', () => {
  assert.deepEqual(
    errorsOf({
      hostnam: 'x',
      queue: { retry: ['1m', 'soon'], expire: 5 },
      limits: { recipients: 3, messageSize: 'big' },
      outbound: { smarthost: 'relay', tls: 'sometimes' },
      listeners: { smtp: { port: 70_000 }, jmap: {} },
      aliases: { nobody: 'x@example.org' },
    }).sort(),
    [
      'aliases.nobody: "nobody" is no address, such as joe@example.org',
      'hostnam: there is no such setting; did you mean `hostname`?',
      'limits.messageSize: "big" is no size: write a number of octets, or one with a unit, such as 512KB or 50MB',
      'limits.recipients: must be at least 100',
      'listeners.jmap: there is no such setting; did you mean `imap`?',
      'listeners.smtp.port: must be at most 65535',
      'outbound.smarthost: "relay" is no HOST:PORT, such as relay.example.org:587 or [::1]:25',
      "outbound.tls: must be one of 'opportunistic', 'require', 'never'",
      'queue.expire: must be text',
      'queue.retry[1]: "soon" is no duration: write a number and a unit, such as 30s, 5m, 4h or 5d',
    ],
  )
})

test('an error inside the longer form of a setting names its place there', () => {
  assert.deepEqual(errorsOf({ listeners: { lmtp: { port: 25 } } }), [
    'listeners.lmtp.port: LMTP must not be on port 25 (RFC 2033 §5); 24 is the usual one',
  ])
  assert.deepEqual(errorsOf({ outbound: { smarthost: { host: 'a', prot: 25 } } }), [
    'outbound.smarthost.prot: there is no such setting; did you mean `port`?',
  ])
  const pins = 'ab'.repeat(32)
  assert.deepEqual(errorsOf({ outbound: { smarthost: { host: 'a', pins } } }), [])
  assert.match(
    errorsOf({ outbound: { smarthost: { host: 'a', pins: 'ab:cd' } } })[0] ?? '',
    /SHA-256/,
  )
  const clear = { host: 'a', pins, tls: 'opportunistic' } as const
  assert.match(errorsOf({ outbound: { smarthost: clear } })[0] ?? '', /pins are for tls/)
  assert.match(errorsOf({ outbound: { hops: { x: { pins, senders: [] } } } })[0] ?? '', /no pins/)
  assert.deepEqual(errorsOf({ outbound: { smarthost: { host: 'a', username: 'b' } } }), [
    'outbound.smarthost: username and password (or token) go together: write both, or neither',
  ])
})

test('settings that are wrong together are errors too', () => {
  assert.deepEqual(
    errorsOf({
      queue: { expire: '1h' },
      listeners: { submission: { port: 25 } },
      domains: ['example.org', { name: 'Example.org' }],
    }),
    [
      'listeners.submission.port: :: port 25 is already taken by smtp; choose another port',
      'domains[1]: Example.org is named twice; remove one of the two',
    ],
  )
})

test('a domain name is labels of letters, digits and hyphens within, and all that are none are named', () => {
  const label = 'a'.repeat(63)
  const good = ['a', 'a-b.example', 'bücher.example', '192.0.2.1', label, '[192.0.2.1]']
  assert.deepEqual(errorsOf({ domains: good, relayDomains: ['*.example.org'] }), [])
  const long = `${`${label}.`.repeat(3)}${'b'.repeat(62)}`
  const bad = [
    'x..y',
    '--',
    '',
    '-a.b',
    'a-.b',
    'a_b',
    'a b',
    'a.',
    `${label}a`,
    long,
    'ü'.repeat(63),
  ]
  assert.deepEqual(
    errorsOf({
      domains: bad,
      hostname: '*.a',
      relayDomains: ['*..a'],
      addresses: { postmaster: 'joe@x..y' },
    }).sort(),
    [
      ...bad.map(
        (name, i) => `domains[${i}]: "${name}" is no domain name, such as mail.example.org`,
      ),
      'addresses.postmaster: "joe@x..y" is no address, such as joe@example.org',
      'hostname: "*.a" is no domain name, such as mail.example.org',
      'relayDomains[0]: "*..a" is no domain, such as example.org or *.example.org',
    ].sort(),
  )
})

test('bodies are kept where all who need them can read them', () => {
  const s3 = { endpoint: 'https://s3.test', bucket: 'mail', accessKey: 'a', secretKey: 'b' }
  const database = 'postgres://localhost/mail'
  const where = 'write where the bucket is, or another place in bodies.in'
  for (const [bodies, errors] of [
    [{ in: 's3' }, [`bodies.s3: is missing; ${where}`]],
    [{ in: 's3', s3 }, []],
    [{ in: 'directory' }, ['bodies.directory: is missing; name a folder that all nodes share']],
    [{ in: 'directory', directory: '/mnt/mail' }, []],
    [{ inlineUpTo: '0' }, []],
    [{ inlineUpTo: '129KB' }, ['bodies.inlineUpTo: is more than 128KB']],
  ] as const) {
    assert.deepEqual(errorsOf({ database, bodies }), errors, JSON.stringify(bodies))
  }
  assert.deepEqual(errorsOf({ bodies: { in: 'directory' } }), [])
})

test('layers merge groups and replace all else', () => {
  const under = { a: { b: 1, c: [1, 2] }, d: 'x' }
  assert.deepEqual(layer(under, { a: { c: [3], e: undefined }, d: { f: 1 } }), {
    a: { b: 1, c: [3] },
    d: { f: 1 },
  })
})

test('secrets come from the environment and from files, and a missing one is named', () => {
  const errors: Parameters<typeof fetchSecrets>[3] = []
  const lookup = {
    env: (name: string) => (name === 'PASS' ? 'swordfish' : undefined),
    file: (path: string) =>
      path === '/etc/pass' ? { text: 'opensesame\n' } : { reason: 'there is no such file' },
  }
  const raw = {
    a: { env: 'PASS' },
    b: [{ file: 'pass' }],
    c: { env: 'GONE' },
    d: { file: 'x', e: 1 },
  }
  assert.deepEqual(fetchSecrets(raw, '/etc', lookup, errors), {
    a: 'swordfish',
    b: ['opensesame'],
    c: '',
    d: { file: 'x', e: 1 },
  })
  assert.deepEqual(errors.map(formatSettingError), [
    'c: the environment has no GONE; set it before the start',
  ])
})

test('of a secret that is not there nothing else is told', () => {
  const raw = { database: { env: 'NO_SUCH_VARIABLE' }, hostname: '' }
  const judged = judge({ source: {}, raw, base: '/' })
  assert.ok('errors' in judged)
  assert.deepEqual(judged.errors.map(({ path }) => path).sort(), ['database', 'hostname'])
})

test('FUTURERELEASE is for submission alone: no other listener can be told to have it (RFC 4865 §4.2)', () => {
  const parse = (listener: string) =>
    settingsSchema.safeParse({ listeners: { [listener]: { with: ['FUTURERELEASE'] } } }).success
  assert.equal(parse('smtp'), false)
  assert.equal(parse('lmtp'), false)
})
