/** What others than peers give: the config as TOML, JSON and `--set`, and what name servers answer. */
import assert from 'node:assert/strict'
import { parse as parseToml } from 'smol-toml'
import { formatSettingError, settingErrors } from '../../../src/server/settings/errors.ts'
import { anchor, contradictions, layer } from '../../../src/server/settings/layers.ts'
import { override, type Raw } from '../../../src/server/settings/override.ts'
import { settingsSchema } from '../../../src/server/settings/settings.ts'
import { locateDomain, locateHost } from '../../../src/transport/hosts.ts'
import type { Dns, DnsAnswer } from '../../../src/world/dns.ts'
import type { Random } from '../../../src/world/random.ts'
import { latin1, pick, some, type Target } from '../lab/target.ts'

const SETS = [
  'hostname=mx.example.org',
  'listeners.smtp.port=25',
  'limits.messageSize=30MB',
  'queue.retry=2s,4s,8s',
  'outbound.smarthost={"host":"x","port":25}',
  'listeners.smtp.proxyProtocol=10.0.0.0/8',
  'domains=a.example,b.example',
  'aliases.joe@example.org=ann@example.org',
]

const config: Target = {
  name: 'config',
  // Zod walks what the text nests, and nobody but who owns the machine writes it.
  linear: false,
  outputRatio: 2000,
  seeds: () =>
    [
      ...SETS,
      SETS.join('\n'),
      '[listeners.smtp]\nport = 25\n[limits]\nmessageSize = "30MB"\n',
      '{"hostname":"mx.example.org","domains":["a.example"],"routes":[{"match":{"to":"*@x"},"to":"mx"}]}',
      '[[queue.schedules]]\nmatch = { to = "*@x" }\nretry = ["1m"]\n[outbound.hops.x]\nhost = "h"\n',
    ].map(latin1),
  words: [
    '[',
    ']',
    '{',
    '}',
    '"',
    '=',
    '\n',
    ',',
    '.',
    'listeners',
    'smtp',
    'port',
    '25',
    '-1',
    '1e999',
    'null',
    'true',
    '__proto__',
    'constructor',
    '"""',
    "'",
    '1979-05-27T07:32:00Z',
    'queue.',
    'routes',
    'outbound.hops.x.',
  ],
  make: random => latin1(some(random, 1, 4, () => `${pick(random, SETS)}\n`)),
  run: input => {
    const text = input.toString()
    let raw: Raw = {}
    try {
      const read: unknown = text.startsWith('{') ? JSON.parse(text) : parseToml(text)
      if (read !== null && typeof read === 'object' && !Array.isArray(read)) raw = read as Raw
    } catch (error) {
      // What is no TOML is said to be none; anything else is thrown by our own code.
      assert.match(String((error as Error).name), /^(?:TomlError|SyntaxError|RangeError|Error)$/)
    }
    const set = override(settingsSchema, layer({ hostname: 'x.example' }, raw), text.split('\n'))
    const parsed = settingsSchema.safeParse(anchor(set.raw, '/'))
    const errors = [
      ...set.errors,
      ...(parsed.success
        ? contradictions(parsed.data)
        : settingErrors(settingsSchema, parsed.error.issues)),
    ]
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
    return errors.map(formatSettingError).join('\n').length
  },
}

/** A name server's answers, read off the input: whatever it says, somewhere or nowhere is found, and soon. */
function liar(input: Buffer, random: Random): { dns: Dns; asked: () => number } {
  let asked = 0
  const words = input.toString('latin1').split(/[\n ]/)
  const answer = <T>(record: (word: string) => T): Promise<DnsAnswer<T>> => {
    asked += 1
    const way = random.below(8)
    if (way === 0) return Promise.resolve({ kind: 'empty' })
    if (way === 1) return Promise.resolve({ kind: 'missing' })
    if (way === 2) return Promise.resolve({ kind: 'failed', reason: input.toString('latin1') })
    const count = random.below(4) === 0 ? 3000 : random.below(6)
    const records = Array.from({ length: count }, () => record(pick(random, words)))
    return Promise.resolve({ kind: 'found', records })
  }
  const name = () => answer(word => word)
  const address = () =>
    answer(word => pick(random, [word, '192.0.2.1', '127.0.0.1', '2001:db8::1', '0.0.0.0']))
  return {
    dns: {
      mx: () => answer(word => ({ preference: random.below(70_000), exchange: word })),
      ipv4: address,
      ipv6: address,
      txt: name,
      cname: name,
      names: name,
    },
    asked: () => asked,
  }
}

const HOSTS_MAX = 10
const ADDRESSES_MAX = 20

const dns: Target = {
  name: 'dns',
  linear: false,
  seeds: () =>
    [
      'mx.example.org mx2.example.org',
      '. example',
      '192.0.2.1 [192.0.2.1]',
      'a.b. \xff x_y -a xn--a',
    ].map(latin1),
  words: [
    '.',
    '..',
    ' ',
    '-',
    '_',
    'xn--',
    '[',
    '127.0.0.1',
    '::',
    '::ffff:127.0.0.1',
    'x'.repeat(64),
    '\0',
  ],
  run: async (input, random) => {
    const world = () => liar(input, random)
    const settings = {
      isOurself: (name: string) => name === 'us.example',
      hostsMax: HOSTS_MAX,
      addressesMax: ADDRESSES_MAX,
    }
    const domain = input.toString('latin1').slice(0, 255)
    let out = 0
    for (const locate of [
      (from: Dns) => locateDomain({ dns: from, random }, domain, settings),
      (from: Dns) => locateHost({ dns: from, random }, domain, ADDRESSES_MAX),
    ]) {
      const server = world()
      const found = await locate(server.dns)
      assert.ok(server.asked() <= 1 + 2 * HOSTS_MAX, `${server.asked()} look-ups`)
      if (found.kind !== 'hosts') {
        assert.match(found.status, found.kind === 'failed' ? /^5\./ : /^4\./)
        out += found.reason.length
      } else assert.ok(found.hosts.length > 0 && found.hosts.length <= ADDRESSES_MAX)
    }
    return out
  },
}

export const outsideTargets: readonly Target[] = [config, dns]
