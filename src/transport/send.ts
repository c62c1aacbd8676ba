/**
 * The library's client: sends one message to one server and says what became of each recipient.
 * Used by whoever embeds this (library/create-client.ts); it looks up no MX and retries nothing.
 */
import type { Envelope } from '../mail/envelope.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { EightBit } from '../route/route.ts'
import type { Credentials } from '../sasl/mechanism.ts'
import type { Trouble } from '../smtp/client/question.ts'
import { timeouts } from '../smtp/client/state.ts'
import type { Source } from '../wire/effect.ts'
import type { DisklessWorld } from '../world/world.ts'
import { Attempt } from './attempt.ts'
import { type Hop, type HopOpened, type HopOptions, openHop } from './hop.ts'
import { type Host, locateHost } from './hosts.ts'
import type { Pool } from './pool.ts'
import { inTheClear, tlsPolicy } from './tls-policy.ts'

export interface SendOptions {
  /** A name or an address; its MX records do not count. */
  readonly host: string
  readonly port: number
  /** As a route has it; 'opportunistic' unless said. */
  readonly tls?: 'never' | 'opportunistic' | 'require' | 'implicit'
  readonly login?: Credentials
  readonly envelope: Envelope
  /** The message, CRLF line ends. */
  readonly content: Source
  /** Octets of `content`; needed where it is no Uint8Array. */
  readonly sizeOctets?: number
  /** What we call ourselves in EHLO; 'localhost' unless said. */
  readonly hostname?: string
  readonly protocol?: 'smtp' | 'lmtp'
  readonly connectTimeoutMs?: number
  /** Caps every timeout of RFC 5321 §4.5.3.2. */
  readonly replyTimeoutMs?: number
  /** Further trusted roots, PEM. */
  readonly roots?: string
  /** Take any certificate even where TLS is required. */
  readonly anyCertificate?: boolean
  /** What a server without 8BITMIME gets; re-encoded unless said. Streamed content goes as it is. */
  readonly eightBit?: EightBit
}

export interface Sent {
  /** One for each recipient, in order. */
  readonly outcomes: readonly Outcome[]
  /** What was said, secrets and content left out. */
  readonly dialogue: string
}

/** What stands in for a host in a pool of one server's connections. */
const SERVER = 'server'

/**
 * Sends one message; by a connection of `pool`, where there is one. Never rejects: whatever goes wrong is an
 * outcome.
 */
export async function sendMail(
  world: DisklessWorld,
  options: SendOptions,
  pool?: Pool,
): Promise<Sent> {
  for (;;) {
    const place = await pool?.take(SERVER)
    if (pool === undefined || typeof place !== 'object' || !('carry' in place)) {
      const { sent, hop } = await sendAnew(world, options)
      if (pool === undefined) hop?.leave()
      else if (hop === undefined) pool.drop(SERVER)
      else pool.give(SERVER, hop)
      return sent
    }
    const tried = await offer(world, options, place)
    pool.give(SERVER, place)
    // A kept connection may have ended meanwhile; the next one, or a new one, will do then.
    if (tried.kind === 'sent') return tried.sent
  }
}

/** By a connection of its own, to the first host that takes it; gives the connection back for others. */
async function sendAnew(
  world: DisklessWorld,
  options: SendOptions,
): Promise<{ readonly sent: Sent; readonly hop?: Hop }> {
  const located = await locateHost(world, options.host, 10)
  if (located.kind !== 'hosts') {
    return { sent: undelivered(options, located.kind, located.status, located.reason, '') }
  }
  let sent = undelivered(options, 'deferred', '4.4.1', 'no host was tried', '')
  for (const host of located.hosts) {
    const opened = await open(world, options, host)
    if (opened.kind === 'trouble') {
      const { kind, status, reason } = opened.trouble
      sent = undelivered(options, kind, status, reason, opened.dialogue)
      continue
    }
    const { hop } = opened
    const tried = await offer(world, options, hop)
    if (tried.kind === 'sent') return { sent: tried.sent, hop }
    hop.leave()
    const { kind, status, reason } = tried.trouble
    sent = undelivered(options, kind, status, reason, '')
  }
  return { sent }
}

async function open(world: DisklessWorld, options: SendOptions, host: Host): Promise<HopOpened> {
  const hopOptions: HopOptions = {
    host,
    port: options.port,
    hostname: options.hostname ?? 'localhost',
    protocol: options.protocol ?? 'smtp',
    tls: policyOf(options),
    connectTimeoutMs: options.connectTimeoutMs ?? 30_000,
    timeouts: timeouts(options.replyTimeoutMs),
    dialogueAlways: true,
    ...(options.eightBit === undefined ? {} : { eightBit: options.eightBit }),
    ...(options.login === undefined ? {} : { login: options.login }),
    ...(options.roots === undefined ? {} : { roots: options.roots }),
  }
  const opened = await openHop(world, hopOptions)
  const tlsFailed = opened.kind === 'trouble' && opened.trouble.phase === 'tls'
  if (!tlsFailed || !hopOptions.tls.clearInstead) return opened
  return openHop(world, { ...hopOptions, tls: inTheClear(hopOptions.tls) })
}

type Tried =
  | { readonly kind: 'sent'; readonly sent: Sent }
  | { readonly kind: 'untouched'; readonly trouble: Trouble }

/**
 * Offers the message, and again to those that were too many for one transaction, if it can be read again.
 * 'untouched' where it was not offered at all.
 */
async function offer(world: DisklessWorld, options: SendOptions, hop: Hop): Promise<Tried> {
  const { envelope, content } = options
  const repeatable = content instanceof Uint8Array
  const sizeOctets = options.sizeOctets ?? (repeatable ? content.length : 0)
  const attempt = new Attempt({ envelope, sizeOctets, content: () => content }, !repeatable)
  const fitting = attempt.fit(hop, world.log)
  const fitted = fitting instanceof Promise ? await fitting : fitting
  for (let some = false; fitted !== undefined; some = true) {
    const carried = await hop.carry(attempt.work(fitted, hop))
    if (carried.kind === 'untouched') {
      if (some) break
      return { kind: 'untouched', trouble: carried.trouble }
    }
    if (attempt.note(carried) !== 'again' || !repeatable) break
  }
  const { outcomes, dialogue = '' } = attempt.carried()
  return { kind: 'sent', sent: { outcomes, dialogue } }
}

function policyOf({ tls = 'opportunistic', anyCertificate = false }: SendOptions) {
  const policy = tlsPolicy(tls)
  return anyCertificate ? { ...policy, trust: 'opportunistic' as const } : policy
}

function undelivered(
  { envelope }: SendOptions,
  kind: 'deferred' | 'failed',
  status: string,
  reason: string,
  dialogue: string,
): Sent {
  return { outcomes: envelope.recipients.map(() => ({ kind, status, reason })), dialogue }
}
