/**
 * Logins by every mechanism at a real server, at SMTP, POP3 and IMAP, and what bad clients make of them: bad base64,
 * `*`, lines that are far too long, what was recorded and is played again, identities of others, names that
 * nobody has. At the end no password stands in the whole log at its loudest.
 */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import type { Credentials } from '../../src/sasl/mechanism.ts'
import { clientMechanism } from '../../src/sasl/registry.ts'
import { stretching } from '../../src/sasl/scripted.ts'
import { spnegoNtlmClient } from '../../src/sasl/spnego-ntlm.ts'
import type { TlsFacts } from '../../src/wire/effect.ts'
import { channelBindings } from '../../src/world/node/channel-bindings.ts'
import { nodeRandom } from '../../src/world/node/random.ts'
import type { Dialogue } from '../kit/dialogue.ts'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'

const SCRAM = ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512']
const MECHANISMS = [
  ...SCRAM.flatMap(name => [`${name}-PLUS`, name]),
  ...['PLAIN', 'LOGIN', 'CRAM-MD5', 'DIGEST-MD5', 'NTLM', 'GSS-SPNEGO'],
]

let server: Server

before(async () => {
  const config = join(newFolder('logins'), 'postrider.json')
  const limits = { loginFailures: 10_000 }
  writeFileSync(
    config,
    JSON.stringify({ log: { level: 'debug' }, auth: { mechanisms: MECHANISMS }, limits }),
  )
  server = await startServer({ config })
})
after(clear)

/** The three protocols as one: how a mechanism is named, answered and ended. */
interface Door {
  readonly listener: 'submissions' | 'pop3s' | 'imaps'
  readonly service: 'smtp' | 'pop' | 'imap'
  begin(dialogue: Dialogue): Promise<void>
  command(mechanism: string, initial?: string): string
  readonly challenge: RegExp
  readonly success: RegExp
}

const doors: readonly Door[] = [
  {
    ...{ listener: 'submissions', service: 'smtp', challenge: /^334 ?/, success: /^235 / },
    async begin(dialogue) {
      await dialogue.reply()
      await dialogue.command('EHLO client.test')
    },
    command: (name, initial) => `AUTH ${name}${initial === undefined ? '' : ` ${initial}`}`,
  },
  {
    ...{ listener: 'pop3s', service: 'pop', challenge: /^\+ /, success: /^\+OK/ },
    begin: async dialogue => void (await dialogue.line()),
    command: (name, initial) => `AUTH ${name}${initial === undefined ? '' : ` ${initial}`}`,
  },
  {
    ...{ listener: 'imaps', service: 'imap', challenge: /^\+ /, success: /^a OK/ },
    begin: async dialogue => void (await dialogue.line()),
    command: (name, initial) =>
      `a AUTHENTICATE ${name}${initial === undefined ? '' : ` ${initial}`}`,
  },
]

async function enter(door: Door): Promise<Dialogue> {
  const dialogue = await server.connect(door.listener)
  await door.begin(dialogue)
  return dialogue
}

/** Says goodbye and waits for it, so that a maildrop is free again. */
async function leave(dialogue: Dialogue, { service }: Door): Promise<void> {
  await dialogue.send(service === 'imap' ? 'b LOGOUT\r\n' : 'QUIT\r\n')
  await dialogue.closed()
}

/** Lines until a tagged or final one; IMAP tells other things before. */
async function answer(dialogue: Dialogue, line: string): Promise<string> {
  await dialogue.send(`${line}\r\n`)
  for (;;) {
    const said = await dialogue.line()
    if (!said.startsWith('* ')) return said
  }
}

/** All that clients said in exchanges, as it crossed the wire. */
const everSaid = new Set<string>()

interface Login {
  /** The last line. */
  readonly said: string
  /** What the client said behind the command. */
  readonly sent: readonly string[]
}

async function login(
  dialogue: Dialogue,
  door: Door,
  name: string,
  credentials: Credentials,
): Promise<Login> {
  // Without a key for tickets it is NTLM that SPNEGO carries.
  const mechanism = name === 'GSS-SPNEGO' ? spnegoNtlmClient : clientMechanism(name)
  assert.ok(mechanism)
  const context = {
    ...{ chance: (count: number) => nodeRandom.octets(count), offered: MECHANISMS },
    ...{ hostname: 'localhost', service: door.service, tls: factsOf(dialogue) },
  }
  const rounds = stretching(mechanism.start(credentials, context))
  const sent: string[] = []
  const next = (challenge: Uint8Array) => {
    const { value } = rounds.next(challenge)
    return Buffer.from(value instanceof Uint8Array ? value : []).toString('base64')
  }
  // What begins with the server has nothing to say before its challenge.
  let waiting: string | undefined = next(new Uint8Array(0))
  if (mechanism.serverFirst) waiting = undefined
  let said = await answer(dialogue, door.command(name))
  while (door.challenge.test(said)) {
    const challenge = Buffer.from(said.replace(door.challenge, ''), 'base64')
    const response = waiting ?? next(challenge)
    waiting = undefined
    sent.push(response)
    // A name alone may stand there, in base64 too; and short ones anywhere.
    if (response.length > 40) everSaid.add(response)
    said = await answer(dialogue, response)
  }
  return { said, sent }
}

function factsOf({ socket }: Dialogue): TlsFacts {
  const secure = socket as TLSSocket
  const peer = secure.getPeerX509Certificate()
  const bindings = channelBindings(
    secure,
    'client',
    peer instanceof X509Certificate ? peer : undefined,
  )
  return { protocol: 'TLSv1.3', cipher: '', verified: false, ...(bindings && { bindings }) }
}

const alice = (over: Partial<Credentials> = {}): Credentials => {
  const { address, password } = server.account(0)
  return { username: address, password, ...over }
}

for (const door of doors)
  test(`every mechanism logs in to ${door.service}, and a wrong password by none`, async () => {
    for (const name of MECHANISMS) {
      const wrong = await login(await enter(door), door, name, alice({ password: 'wrong' }))
      assert.doesNotMatch(wrong.said, door.success, name)
      const dialogue = await enter(door)
      const right = await login(dialogue, door, name, alice())
      assert.match(right.said, door.success, name)
      await leave(dialogue, door)
    }
  })

for (const door of doors)
  test(`bad base64, a star and a line without end stop one exchange of ${door.service} and nothing else`, async () => {
    const other = await enter(door)
    await answer(other, door.command('PLAIN'))
    const bad = await enter(door)
    const mistakes = [
      '*',
      '****',
      'AAA',
      'A===',
      'AGEA\u00e9',
      'AA AA',
      '=AAA',
      `${'A'.repeat(20_000)}`,
    ]
    for (const [i, mistake] of mistakes.entries()) {
      const dialogue = i % 2 === 0 ? bad : await enter(door)
      if (dialogue.gone) continue
      assert.match(await answer(dialogue, door.command('PLAIN')), door.challenge)
      assert.doesNotMatch(await answer(dialogue, mistake), door.success, mistake)
    }
    const { address, password } = server.account(0)
    const response = Buffer.from(`\0${address}\0${password}`).toString('base64')
    assert.match(await answer(other, response), door.success)
    await leave(other, door)
  })

test('what was recorded of a login is worth nothing in another', async () => {
  const door = doors[0] as Door
  for (const name of [...SCRAM, 'CRAM-MD5', 'DIGEST-MD5', 'NTLM', 'GSS-SPNEGO']) {
    const { said, sent } = await login(await enter(door), door, name, alice())
    assert.match(said, door.success)
    const replay = await enter(door)
    let heard = await answer(replay, door.command(name))
    for (const line of sent) if (door.challenge.test(heard)) heard = await answer(replay, line)
    assert.match(heard, /^535 5\.7\.8 /, name)
  }
})

test('nobody acts as another, by any mechanism that can say so', async () => {
  const door = doors[0] as Door
  const bob = server.account(1).address
  for (const name of MECHANISMS) {
    const other = await login(await enter(door), door, name, alice({ authorize: bob }))
    assert.doesNotMatch(other.said, door.success, name)
    if (!/^(?:PLAIN|DIGEST|SCRAM)/.test(name)) continue
    assert.match(other.said, /^535 5\.7\.8 /, name)
    const self = await login(await enter(door), door, name, alice({ authorize: alice().username }))
    assert.match(self.said, door.success, name)
  }
})

test('a name that nobody has is refused in the words and the time of a wrong password', async () => {
  const door = doors[0] as Door
  for (const name of MECHANISMS.filter(each => !each.endsWith('-PLUS'))) {
    const best = { known: Infinity, unknown: Infinity }
    const words = new Set<string>()
    // Generous, for a machine that does other things, and far below what a hash costs.
    const alike = () =>
      Math.abs(best.known - best.unknown) < Math.max(5, Math.min(best.known, best.unknown) / 2)
    // Where one of the two costs more it does so each time; where the machine was busy, once more tells.
    for (let i = 0; i < 4 || (i < 40 && !alike()); i++)
      for (const kind of ['known', 'unknown'] as const) {
        const username = kind === 'known' ? alice().username : `nobody${i}@${server.domain}`
        const dialogue = await enter(door)
        const began = performance.now()
        const { said } = await login(dialogue, door, name, { username, password: `wrong${i}` })
        best[kind] = Math.min(best[kind], performance.now() - began)
        words.add(said)
        dialogue.end()
      }
    assert.equal(words.size, 1, name)
    assert.ok(alike(), `${name}: ${best.known} and ${best.unknown} ms`)
  }
})

test('no password, and nothing that is as good, stands in any line of the log', () => {
  const log = server.log.join('\n')
  assert.ok(log.includes('"level":"'), 'there is a log')
  for (const { password, address } of server.accounts.slice(0, 1)) {
    const forms = [
      password,
      Buffer.from(password).toString('base64').slice(0, 10),
      Buffer.from(`\0${address}\0${password}`).toString('base64').slice(8, 40),
      Buffer.from(password).toString('hex'),
    ]
    for (const form of forms) assert.equal(log.includes(form), false, form)
  }
  // Nothing that a client said in any exchange, proofs and tokens among it.
  assert.ok(everSaid.size > 50)
  for (const line of everSaid) assert.equal(log.includes(line), false, line)
  assert.deepEqual(server.faults(), [])
})
