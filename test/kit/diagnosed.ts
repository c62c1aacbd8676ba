/**
 * A domain and its one server in the simulated internet, with what is wrong with them: for tests that are tables of
 * faults, each with the findings it must bring.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DiagnoseOptions, diagnose } from '../../src/diagnose/diagnose.ts'
import type { Section } from '../../src/diagnose/finding.ts'
import { type PlanFlags, planOf } from '../../src/diagnose/plan.ts'
import { FakeServer, type Script } from '../../src/transport/fake-server.ts'
import { createWorld, type SimRecords, simIdentity } from '../../src/world/sim/index.ts'

export const DAY = 86_400_000
export const NOW = 1_893_456_000_000
export const GOOD = simIdentity(['mx.test'])
export const NAMES = 'PIPELINING,SIZE 50000000,8BITMIME,SMTPUTF8,ENHANCEDSTATUSCODES,DSN'.split(',')
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

export interface Case {
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

export const replies = (given: Record<string, string>): Case => ({ script: { replies: given } })
export const asked = (RCPT: string): Case => ({ subject: 'joe@x.test', ...replies({ RCPT }) })
export const greeted = (greeting: string): Case => ({ script: { greeting } })
export const zone = (records: SimRecords, more: Case['zones'] = {}): Case => ({
  zones: { 'x.test': records, ...more },
})
export const certified = (
  names: readonly string[],
  trusted: boolean,
  more: Parameters<typeof simIdentity>[2] = {},
): Case => ({ script: { identity: simIdentity(names, trusted, more) } })

/** A submission server that is logged in at. */
export const login = (given: Record<string, string>, identity = GOOD): Case => ({
  subject: 'mx.test:587',
  port: 587,
  options: { login: { username: 'ann', password: 'secret' } },
  script: { extensions: [...NAMES, 'STARTTLS', 'AUTH PLAIN'], identity, replies: given },
})
/** A test for each: its title, what is wrong, and what must be found of it. */
export function diagnoses(cases: readonly (readonly [string, Case, string])[]): void {
  for (const [title, given, expected] of cases) {
    test(`diagnosis: ${title}`, async () => {
      const sections = await run(given)
      assert.equal(namesOf(sections), expected, JSON.stringify(sections, undefined, 1))
    })
  }
}
