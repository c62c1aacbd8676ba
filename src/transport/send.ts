/**
 * The library's client: sends one message to one server and says what became of each recipient.
 * Used by the command line's `send` and by whoever embeds this; it looks up no MX, keeps no
 * connection and retries nothing.
 */
import type { Envelope } from '../mail/envelope.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { EightBit } from '../route/route.ts'
import type { Credentials } from '../sasl/mechanism.ts'
import type { Trouble } from '../smtp/client/question.ts'
import { timeouts } from '../smtp/client/state.ts'
import type { Source } from '../wire/effect.ts'
import type { Log } from '../world/log.ts'
import type { DisklessWorld } from '../world/world.ts'
import { Attempt } from './attempt.ts'
import { type Hop, type HopOptions, openHop } from './hop.ts'
import { locateHost } from './hosts.ts'
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

/** Sends one message. Never rejects: whatever goes wrong is an outcome. */
export async function sendMail(world: DisklessWorld, options: SendOptions): Promise<Sent> {
  const { envelope, content, port } = options
  const located = await locateHost(world, options.host, 10)
  if (located.kind !== 'hosts') {
    return undelivered(options, located.kind, located.status, located.reason, '')
  }
  let last = undelivered(options, 'deferred', '4.4.1', 'no host was tried', '')
  for (const host of located.hosts) {
    const hopOptions: HopOptions = {
      host,
      port,
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
    let opened = await openHop(world, hopOptions)
    if (
      opened.kind === 'trouble' &&
      opened.trouble.phase === 'tls' &&
      hopOptions.tls.clearInstead
    ) {
      opened = await openHop(world, { ...hopOptions, tls: inTheClear(hopOptions.tls) })
    }
    if (opened.kind === 'trouble') {
      const { kind, status, reason } = opened.trouble
      last = undelivered(options, kind, status, reason, opened.dialogue)
      continue
    }
    const sizeOctets = options.sizeOctets ?? (content instanceof Uint8Array ? content.length : 0)
    const repeatable = content instanceof Uint8Array
    const parcel = { envelope, sizeOctets, content: () => content }
    const attempt = new Attempt(parcel, !repeatable)
    const trouble = await offer(attempt, opened.hop, world.log, repeatable)
    if (trouble !== undefined) {
      const { kind, status, reason } = trouble
      last = undelivered(options, kind, status, reason, '')
      continue
    }
    opened.hop.leave()
    const { outcomes, dialogue = '' } = attempt.carried()
    return { outcomes, dialogue }
  }
  return last
}

/**
 * Offers the message, and again to those that were too many for one transaction, if it can be read again.
 * Gives the trouble that kept it from being offered at all.
 */
async function offer(
  attempt: Attempt,
  hop: Hop,
  log: Log,
  repeatable: boolean,
): Promise<Trouble | undefined> {
  const fitting = attempt.fit(hop, log)
  const fitted = fitting instanceof Promise ? await fitting : fitting
  if (fitted === undefined) return undefined
  for (let some = false; ; some = true) {
    const carried = await hop.carry(attempt.work(fitted, hop))
    if (carried.kind === 'untouched') return some ? undefined : carried.trouble
    if (attempt.note(carried) !== 'again' || !repeatable) return undefined
  }
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
