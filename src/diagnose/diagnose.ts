/**
 * A diagnosis: what is right and wrong with a domain's mail, or with a server, step by step as a sender meets it.
 * Looks and asks, and sends no message, ever. Used by `postrider diagnose` and by the library; everything it does
 * to the world goes through ports, and it ends in bounded time and memory whatever a peer does.
 */
import type { Credentials } from '../sasl/mechanism.ts'
import { type Host, locateDomain, locateHost } from '../transport/hosts.ts'
import { smtpTransportDefaults } from '../transport/smtp.ts'
import type { Dns } from '../world/dns.ts'
import type { DisklessWorld } from '../world/world.ts'
import { domainSteps } from './domain/steps.ts'
import { type Finding, finding, type Section } from './finding.ts'
import { relayAsking } from './host/relay.ts'
import { hostSteps } from './host/steps.ts'
import { mailboxSteps } from './mailbox/steps.ts'
import { mailboxTalk } from './mailbox/talk.ts'
import type { Plan, Server } from './plan.ts'
import { rememberedDns } from './remembered-dns.ts'
import { runSteps } from './step.ts'
import { type Asking, type TlsWish, talk } from './talk.ts'

export interface DiagnoseOptions {
  readonly plan: Plan
  /** What we call ourselves. */
  readonly hostname: string
  /** The sender of the RCPT probe; the null one unless said. */
  readonly from?: string
  /** The asker's own: what others may forgive is told, and `relayTo` counts. */
  readonly own?: boolean
  /** Names and addresses of the asker's own server. */
  readonly ours?: readonly string[]
  /** An address elsewhere: whether mail is carried there for strangers. */
  readonly relayTo?: string
  readonly login?: Credentials
  readonly roots?: string
  readonly anyCertificate?: boolean
  /** Fingerprints of which a certificate must have one, as `outbound.hops.NAME.pins` has them. */
  readonly pins?: readonly string[]
  /** DKIM selectors to look up. */
  readonly selectors?: readonly string[]
  /** TLS towards MX hosts. */
  readonly tls?: TlsWish
  readonly connectTimeoutMs?: number
  readonly replyTimeoutMs?: number
  readonly wholeTimeoutMs?: number
}

/** Addresses that are visited, of one domain or server. */
const VISITS_MAX = 12

interface Run {
  readonly world: DisklessWorld
  readonly dns: Dns
  readonly options: DiagnoseOptions
  /** Connects on port 25 that came to nothing, and that came about. */
  readonly port25: { silent: number; reached: number }
}

/** One host to visit, and why. */
interface Visit {
  readonly server: Server
  readonly host: Host
  readonly byMx: boolean
  readonly recipients: readonly string[]
  readonly here: string
}

/** Section by section, each when it is known. Never throws for what the world does. */
export async function* diagnose(
  world: DisklessWorld,
  options: DiagnoseOptions,
): AsyncGenerator<Section, void, void> {
  const dns = rememberedDns(world.dns)
  const run: Run = { world: { ...world, dns }, dns, options, port25: { silent: 0, reached: 0 } }
  for (const domain of options.plan.forTests ?? []) {
    const found = finding('name-for-tests', `${domain} is a name for tests`)
    yield { about: domain, steps: [{ step: 'names', tookMs: 0, findings: [found] }] }
  }
  for (const domain of options.plan.domains) yield* ofDomain(run, domain)
  for (const server of options.plan.servers) yield* ofServer(run, server)
  const { silent, reached } = run.port25
  if (silent > 0 && reached === 0) {
    const text = 'no address that was tried on port 25 has answered'
    yield together([finding('port-25-blocked', text)])
  }
}

async function* ofDomain(run: Run, domain: string): AsyncGenerator<Section, void, void> {
  const { world, dns, options } = run
  const located = await locateDomain(world, domain, {
    hostsMax: smtpTransportDefaults.hostsMax,
    addressesMax: smtpTransportDefaults.addressesMax,
    // A sender elsewhere does not leave us out.
    isOurself: () => false,
  })
  const { clock } = world
  const { own = false, ours = [], selectors = [] } = options
  const context = { clock, dns, own, domain, located, ours, selectors }
  yield { about: domain, steps: await runSteps(domainSteps, context) }
  if (located.kind !== 'hosts') return
  const byMx = !domain.startsWith('[') && (await dns.mx(domain)).kind === 'found'
  const recipients = options.plan.recipients.filter(each =>
    each.toLowerCase().endsWith(`@${domain}`),
  )
  const visits = located.hosts.map((host): Visit => {
    const server: Server = {
      host: host.name,
      port: 25,
      protocol: 'smtp',
      tls: options.tls ?? 'starttls',
    }
    return { server, host, byMx, recipients, here: domain }
  })
  yield* visitAll(run, visits)
}

async function* ofServer(run: Run, server: Server): AsyncGenerator<Section, void, void> {
  const { host, address } = server
  const located =
    address === undefined
      ? await locateHost(run.world, host, VISITS_MAX)
      : ({ kind: 'hosts', hosts: [{ name: host, address }] } as const)
  if (located.kind !== 'hosts') {
    const { reason, status } = located
    const name = status === '4.4.3' ? 'dns-fails' : 'no-usable-host'
    yield { about: host, steps: [{ step: 'names', tookMs: 0, findings: [finding(name, reason)] }] }
    return
  }
  const { recipients } = run.options.plan
  const visits = located.hosts.map(
    (one): Visit => ({ server, host: one, byMx: false, recipients, here: host }),
  )
  yield* visitAll(run, visits)
}

/** All at once, told in their order. */
async function* visitAll(run: Run, visits: readonly Visit[]): AsyncGenerator<Section, void, void> {
  for (const section of visits.slice(0, VISITS_MAX).map(each => visit(run, each))) {
    yield await section
  }
}

async function visit(run: Run, toVisit: Visit): Promise<Section> {
  const { server, host, byMx } = toVisit
  const { world, dns, options, port25 } = run
  const { own = false, pins } = options
  const pinned = pins && { pins }
  const { port, forTests = false } = server
  const where = { clock: world.clock, dns, own, host, port, byMx, forTests, ...pinned }
  const name = host.name === host.address ? host.address : `${host.name} (${host.address})`
  const about = `${name} port ${server.port}`
  const { connectTimeoutMs = 10_000, replyTimeoutMs = 30_000, wholeTimeoutMs = 120_000 } = options
  const ways = {
    host,
    port: server.port,
    tls: server.tls,
    connectTimeoutMs,
    replyTimeoutMs,
    wholeTimeoutMs,
    ...(options.roots !== undefined && { roots: options.roots }),
  }
  const { protocol } = server
  if (protocol !== 'smtp') {
    const shown = await mailboxTalk(world, { ...ways, protocol })
    const steps = await runSteps(mailboxSteps, { ...where, protocol, talk: shown })
    return { about, steps, transcript: shown.transcript.lines }
  }
  const { hostname, login } = options
  const talked = await talk(world, {
    ...ways,
    hostname,
    asking: askingOf(options, toVisit),
    ...(login && { login }),
    ...(options.anyCertificate && { anyCertificate: true }),
    ...pinned,
  })
  if (server.port === 25) {
    if (talked.connect.fault === 'ETIMEDOUT') port25.silent += 1
    else if (talked.connect.fault === undefined) port25.reached += 1
  }
  const steps = await runSteps(hostSteps, {
    ...where,
    submission: server.submission === true,
    wantsLogin: login !== undefined,
    talk: talked,
  })
  return { about, steps, transcript: talked.transcript.lines }
}

function askingOf(
  { own, relayTo, from, login }: DiagnoseOptions,
  { recipients, here, server }: Visit,
): readonly Asking[] {
  const asking: Asking[] = []
  // Who submits logs in first; without a login there is nothing to learn by asking.
  if (recipients.length > 0 && !(server.submission && login === undefined)) {
    const forwardPaths = recipients.map(address => `<${address}>`)
    asking.push({ about: 'recipients', reversePath: `<${from ?? ''}>`, forwardPaths })
  }
  return own && relayTo !== undefined ? [...asking, ...relayAsking(here, relayTo)] : asking
}

function together(findings: readonly Finding[]): Section {
  return { about: 'all together', steps: [{ step: 'reach', tookMs: 0, findings }] }
}
