/** POP3 and IMAP servers that lie, each with the findings it must bring. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection } from '../../world/net.ts'
import { createWorld, simIdentity } from '../../world/sim/index.ts'
import { diagnose } from '../diagnose.ts'
import type { Section } from '../finding.ts'
import { planOf } from '../plan.ts'

const IMAP: Readonly<Record<string, string>> = {
  '': '* OK ready',
  CAPABILITY: '* CAPABILITY IMAP4rev1 STARTTLS AUTH=SCRAM-SHA-256 LOGINDISABLED\r\n%t OK done',
  STARTTLS: '%t OK go',
  LOGOUT: '* BYE\r\n%t OK bye',
}
const POP3: Readonly<Record<string, string>> = {
  '': '+OK ready',
  CAPA: '+OK here\r\nSTLS\r\nSASL SCRAM-SHA-256\r\n.',
  STLS: '+OK go',
  QUIT: '+OK bye',
}

/** A server that says what is written for each word; 'silence' says nothing. */
function serve(connection: Connection, says: Readonly<Record<string, string>>): void {
  const identity = simIdentity(['mail.test'])
  let rest = ''
  const say = (line: string, tag: string) => {
    const text = says[line]
    if (text === undefined) connection.destroy()
    else if (text !== 'silence') connection.write(`${text.replaceAll('%t', tag)}\r\n`)
    const goes = text?.startsWith('%t OK') || text?.startsWith('+OK')
    if ((line === 'STARTTLS' || line === 'STLS') && goes) {
      connection.secure({ side: 'server', identity }).catch(() => {})
    }
  }
  connection.open({
    received(octets) {
      rest += Buffer.from(octets).toString()
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const words = rest.slice(0, end).split(' ')
        rest = rest.slice(end + 2)
        say(words.at(-1) ?? '', words[0] ?? '')
      }
    },
    ended: () => connection.end(),
    drained() {},
    closed() {},
  })
  say('', '')
}

async function found(port: number, says: Readonly<Record<string, string>>): Promise<string> {
  const internet = createWorld({ seed: 1 })
  const us = internet.host({ name: 'us.test', addresses: ['192.0.2.1'] })
  const host = internet.host({ name: 'mail.test', addresses: ['198.51.100.1'] })
  const where = { kind: 'tcp', address: '0.0.0.0', port } as const
  await internet.complete(host.world.net.listen(where, connection => serve(connection, says)))
  const plan = planOf(`mail.test:${port}`, {})
  assert.ok(plan)
  const sections: Section[] = []
  const all = async () => {
    const options = { plan, hostname: 'us.test' }
    for await (const section of diagnose(us.world, options)) sections.push(section)
  }
  await internet.complete(all(), '20 minutes')
  const findings = sections.flatMap(({ steps }) => steps.flatMap(step => step.findings))
  const bad = findings.filter(({ severity }) => severity === 'fault' || severity === 'warning')
  return bad.map(({ severity, name }) => `${severity} ${name}`).join(', ')
}

const cases: readonly (readonly [string, number, Readonly<Record<string, string>>, string])[] = [
  ['IMAP with nothing wrong', 143, IMAP, ''],
  ['POP3 with nothing wrong', 110, POP3, ''],
  ['silence', 143, { '': 'silence' }, 'fault greeting-silent'],
  ['SMTP where IMAP should be', 143, { '': '220 mail.test ESMTP' }, 'fault another-protocol'],
  ['POP3 that is too busy', 110, { '': '-ERR [SYS/TEMP] busy' }, 'fault greeting-refused'],
  ['IMAP that says goodbye', 143, { '': '* BYE busy' }, 'fault greeting-refused'],
  [
    'IMAP without TLS that takes passwords',
    143,
    { ...IMAP, CAPABILITY: '* CAPABILITY IMAP4rev1\r\n%t OK done' },
    'fault tls-missing, warning login-in-clear',
  ],
  [
    'POP3 that takes passwords before TLS',
    110,
    { ...POP3, CAPA: '+OK here\r\nUSER\r\nSTLS\r\n.' },
    'warning login-in-clear',
  ],
  ['POP3 that refuses STLS', 110, { ...POP3, STLS: '-ERR not now' }, 'fault tls-refused'],
  [
    'clear text behind STARTTLS',
    143,
    { ...IMAP, STARTTLS: '%t OK go\r\n* evil' },
    'fault tls-injection',
  ],
  [
    'a listing without end',
    110,
    { ...POP3, CAPA: `+OK${'\r\nX'.repeat(500)}` },
    'fault session-ended',
  ],
  ['a listing that stops', 110, { ...POP3, CAPA: `+OK ${'x'.repeat(12_000)}` }, 'fault too-slow'],
  ['silence in the middle', 143, { ...IMAP, CAPABILITY: 'silence' }, 'fault too-slow'],
]

for (const [title, port, says, expected] of cases) {
  test(`a mailbox server: ${title}`, async () => assert.equal(await found(port, says), expected))
}
