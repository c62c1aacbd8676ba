/**
 * Asks a provider for the mail that he keeps for us (RFC 1985, RFC 2645, RFC 821 §3.8): connects, greets,
 * secures, logs in and says its errands. Where the roles change the connection is given to `receive`, which
 * serves it as any that comes in. Called by server/fetcher.ts; it knows no schedule.
 */
import type { Reply } from '../mail/status.ts'
import type { Credentials } from '../sasl/mechanism.ts'
import type { Errand } from '../smtp/client/question.ts'
import { timeouts } from '../smtp/client/state.ts'
import type { Connection } from '../world/net.ts'
import type { DisklessWorld } from '../world/world.ts'
import { type HopOpened, type HopOptions, openHop } from './hop.ts'
import { locateHost } from './hosts.ts'
import { tlsPolicy } from './tls-policy.ts'

export interface FetchOptions {
  readonly host: string
  readonly port: number
  readonly tls: 'never' | 'opportunistic' | 'require' | 'implicit'
  readonly login?: Credentials
  /** Fingerprints of which its certificate has one. */
  readonly pins?: readonly string[]
  readonly by: 'atrn' | 'etrn' | 'turn'
  /** With ETRN each is asked for; with ATRN none are all that are ours. */
  readonly domains: readonly string[]
  /** What we call ourselves in EHLO. */
  readonly hostname: string
  readonly connectTimeoutMs: number
  readonly replyTimeoutMs: number
  readonly roots?: string
  /** The certificate we show where the provider asks for one. */
  readonly own?: HopOptions['own']
}

export interface Fetched {
  /** What was asked, and the provider's word on it. */
  readonly answers: readonly { readonly asked: string; readonly reply: Reply }[]
  /** The roles changed: what there was came over this connection. */
  readonly exchanged: boolean
  /** Why nothing, or nothing more, could be asked. */
  readonly trouble?: string
}

/** Asks, and waits until the provider has sent what he sends over our connection. Never rejects. */
export async function fetchMail(
  world: DisklessWorld,
  options: FetchOptions,
  receive: (connection: Connection) => Promise<void>,
): Promise<Fetched> {
  const opened = await open(world, options)
  if (typeof opened === 'string') return { answers: [], exchanged: false, trouble: opened }
  const answers: { asked: string; reply: Reply }[] = []
  for (const errand of errandsOf(options)) {
    const answer = await opened.run(errand, receive)
    if (answer.kind === 'trouble') {
      return { answers, exchanged: false, trouble: answer.trouble.reason }
    }
    answers.push({ asked: askedBy(errand), reply: answer.reply })
    if (!answer.exchanged) continue
    await opened.goodbye
    return { answers, exchanged: true }
  }
  opened.leave()
  return { answers, exchanged: false }
}

async function open(world: DisklessWorld, options: FetchOptions) {
  const { host: name, port, tls, login, hostname, roots, own, pins } = options
  const located = await locateHost(world, name, 10)
  if (located.kind !== 'hosts') return located.reason
  let reason = `${name} has no address`
  for (const host of located.hosts) {
    const opened: HopOpened = await openHop(world, {
      host,
      port,
      hostname,
      protocol: 'smtp',
      tls: tlsPolicy(tls),
      connectTimeoutMs: options.connectTimeoutMs,
      timeouts: timeouts(options.replyTimeoutMs),
      ...(login === undefined ? {} : { login }),
      ...(pins === undefined ? {} : { pins }),
      ...(roots === undefined ? {} : { roots }),
      ...(own === undefined ? {} : { own }),
    })
    if (opened.kind === 'hop') return opened.hop
    reason = opened.trouble.reason
  }
  return reason
}

function errandsOf({ by, domains }: FetchOptions): readonly Errand[] {
  if (by === 'etrn') return domains.map(node => ({ kind: 'start', node }))
  return [
    by === 'atrn'
      ? { kind: 'exchange', verb: 'ATRN', domains }
      : { kind: 'exchange', verb: 'TURN', domains: [] },
  ]
}

function askedBy(errand: Errand): string {
  if (errand.kind === 'start') return `ETRN ${errand.node}`
  return `${errand.verb} ${errand.domains.join(',')}`.trim()
}
