/**
 * A journey: one life of mail in a small town, told once without faults, and then again with each
 * server's machine stopped just before and just after each commit it made. Used by *.test.ts here.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Broken, judge } from '../sim/oracle.ts'
import type { ServerPlan } from '../sim/server.ts'
import { createTown, type Town } from '../sim/town.ts'

export interface Journey {
  /** The file of its picture: docs/journey/<name>.md. */
  readonly name: string
  readonly title: string
  /** What the picture shows, for its reader. */
  readonly prose: string
  readonly servers: readonly ServerPlan[]
  /** What happens; afterwards six days pass. */
  readonly live: (town: Town) => Promise<void>
  /** What must have come of it, with faults or without. */
  readonly expect?: (mailboxes: ReadonlyMap<string, readonly string[]>) => void
  /** Servers whose machine is not stopped; all others are. */
  readonly spared?: readonly string[]
}

interface Fault {
  readonly domain: string
  readonly commit: number
  readonly at: 'before commit' | 'after commit'
}

const SEED = 'journey'
/** Of a long journey no more are tried each time; with EVERY_FAULT=1 all are. */
const FAULTS = 8

/** The tests of a journey. */
export function journey(plan: Journey): void {
  test(`${plan.title}: as it is drawn in docs/journey/${plan.name}.md`, async () => {
    const { town, mailboxes } = await run(plan, undefined, true)
    plan.expect?.(mailboxes)
    compare(plan.name, picture(plan, town, mailboxes))
  })

  test(`${plan.title}: whichever machine stops before or after whichever commit`, async () => {
    const { town } = await run(plan, undefined)
    const faults: Fault[] = []
    for (const server of town.servers) {
      const { domain } = server.plan
      if (plan.spared?.includes(domain)) continue
      assert.ok(server.commits > 0, `${domain} commits nothing`)
      for (let commit = 1; commit <= server.commits; commit++) {
        faults.push({ domain, commit, at: 'before commit' }, { domain, commit, at: 'after commit' })
      }
    }
    assert.ok(faults.length >= 4)
    for (const fault of process.env['EVERY_FAULT'] === '1' ? faults : spread(faults, FAULTS)) {
      const { mailboxes } = await run(plan, fault)
      plan.expect?.(mailboxes)
    }
  })
}

/** At most so many, from the first to the last. */
function spread<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all
  return Array.from(
    { length: most },
    (_, i) => all[Math.round((i * (all.length - 1)) / (most - 1))] as T,
  )
}

async function run(plan: Journey, fault: Fault | undefined, traced = false) {
  const town = await createTown({ seed: SEED, servers: plan.servers })
  if (fault) arm(town, fault)
  if (traced) town.tracer.start()
  await plan.live(town)
  await town.advance('6 days')
  town.tracer.enabled = false
  const broken = await judge(town)
  assert.deepEqual(broken, [], explain(fault, broken))
  if (fault) assert.equal(town.server(fault.domain).crashes.length > 0, true, 'the fault came')
  return { town, mailboxes: await mailboxesOf(town) }
}

/** Stops the machine once; the town turns it on again. */
function arm(town: Town, { domain, commit, at }: Fault): void {
  const server = town.server(domain)
  server.faultAt = number => (number === commit ? { at, how: 'crash' } : undefined)
}

function explain(fault: Fault | undefined, broken: readonly Broken[]): string {
  const when = fault ? `${fault.domain} stopped ${fault.at} ${fault.commit}` : 'no fault'
  return `${when}:\n${broken.map(({ rule, what }) => `  ${rule}: ${what}`).join('\n')}`
}

async function mailboxesOf(town: Town): Promise<ReadonlyMap<string, readonly string[]>> {
  const all = new Map<string, readonly string[]>()
  for (const user of town.users.values()) {
    const fetched = await town.internet.complete(user.read())
    all.set(
      user.address,
      fetched.map(({ octets }) => Buffer.from(octets).toString('latin1')),
    )
  }
  return all
}

/** The journey as a page. */
function picture(
  plan: Journey,
  town: Town,
  mailboxes: ReadonlyMap<string, readonly string[]>,
): string {
  const { tracer } = town
  const parts = [
    `# ${plan.title}`,
    plan.prose,
    'Time, then who says what to whom (`->` asks, `<-` answers), or which commit of which store made\nwhich states. Ids and dates have names; content is counted, and shown at the end.\n`UPDATE=1 node --test test/journey` draws this page anew.',
    fenced(tracer.lines.join('\n')),
  ]
  for (const [address, messages] of mailboxes) {
    if (messages.length === 0) continue
    parts.push(`## What ${address} finds`)
    for (const message of messages) {
      parts.push(fenced(tracer.name(message.replaceAll('\r\n', '\n')).trimEnd()))
    }
  }
  return `${parts.join('\n\n')}\n`
}

function fenced(text: string): string {
  return `\`\`\`text\n${text}\n\`\`\``
}

function compare(name: string, page: string): void {
  const file = new URL(`../../docs/journey/${name}.md`, import.meta.url)
  if (process.env['UPDATE'] === '1') writeFileSync(file, page)
  const drawn = existsSync(file) ? readFileSync(file, 'utf8') : ''
  assert.equal(page, drawn, `docs/journey/${name}.md differs; UPDATE=1 draws it anew`)
}
