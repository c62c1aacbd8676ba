/**
 * Rules of shaping: how much goes to the destinations that one matches, all of them together, and what
 * replies make us stop for a while. All rules that match hold. From the config (server/settings/shaping.ts),
 * and the few below that come with the program.
 */
import { enhancedCode, type Reply } from '../mail/status.ts'
import { type Glob, glob, matchesGlob } from '../route/pattern.ts'
import { hopsOf, type RemoteRoute } from '../route/route.ts'

export interface Rate {
  readonly messages: number
  readonly perMs: number
}

export interface Suspension {
  /** What the reply looks like, as `421 4.7.0 text`; `*` is any text. */
  readonly reply: string
  readonly forMs: number
}

export interface ShapingRule {
  /** Its name for people, and of its lanes. */
  readonly name: string
  readonly match: {
    /** The recipients' domain, whichever way their mail goes; `*` is all mail. */
    readonly domain?: string
    /** A host of the destination, by MX or as it is configured. */
    readonly mx?: string
    /** The host of a fixed next hop. */
    readonly hop?: string
  }
  /** Connections at once. */
  readonly connections?: number | undefined
  readonly messagesPerConnection?: number | undefined
  readonly rate?: Rate | undefined
  /** Messages a day from a day on; behind the last one no limit. */
  readonly warmUp?: { readonly fromMs: number; readonly perDay: readonly number[] } | undefined
  readonly suspend?: readonly Suspension[] | undefined
}

/**
 * What the big providers say when they have had enough for now. Google: its page of SMTP errors, 4.7.28 and
 * before it 4.7.0. Yahoo: its page of SMTP errors, TSS04 and its like; KumoMTA's rules, from Yahoo, wait two
 * hours. Microsoft: 4.7.650 (S775), an address limited for its reputation. The other times are ours.
 */
export const knownReplies: readonly ShapingRule[] = [
  {
    name: 'google',
    match: { mx: '*.google.com' },
    suspend: [
      { reply: '421*4.7.28*', forMs: 1_800_000 },
      { reply: '421*4.7.0*unusual rate*', forMs: 1_800_000 },
    ],
  },
  {
    name: 'yahoo',
    match: { mx: '*.yahoodns.net' },
    suspend: [{ reply: '421*4.7.0*[ts*]*temporarily deferred*', forMs: 7_200_000 }],
  },
  {
    name: 'outlook',
    match: { mx: '*.protection.outlook.com' },
    suspend: [{ reply: '451*4.7.650*', forMs: 3_600_000 }],
  },
]

/** The lane of what a rule holds up. */
export function ruleLane({ name }: ShapingRule): string {
  return `rule:${name}`
}

/** What a load goes to: a route, and the domain of its recipients where that is told apart (`Limits.apart`). */
export interface Aim {
  readonly route: RemoteRoute
  readonly domain?: string | undefined
}

/** Whether it matches what goes there; `hosts` are those of the route, as far as they are known. */
export function matchesRule(
  { match }: ShapingRule,
  { route, domain: apart }: Aim,
  hosts: readonly string[],
): boolean {
  const { domain, mx, hop } = match
  // What a fixed hop takes is for any domain, unless it is told apart.
  const own = apart ?? (route.kind === 'mx' ? route.domain : undefined)
  const isDomain = own !== undefined && domain !== undefined && matches(domain, [own])
  if (domain !== undefined && domain !== '*' && !isDomain) return false
  const fixed = hopsOf(route).map(({ host }) => host)
  if (hop !== undefined && !matches(hop, fixed)) return false
  return mx === undefined || matches(mx, [...hosts, ...fixed])
}

/** Whether it says something of this domain, and not of all mail. */
export function namesDomain({ match }: Pick<ShapingRule, 'match'>, domain: string): boolean {
  return namesDomains({ match }) && matches(match.domain as string, [domain])
}

/** Whether it is for some domains. */
export function namesDomains({ match }: Pick<ShapingRule, 'match'>): boolean {
  return match.domain !== undefined && match.domain !== '*'
}

/** How long a reply makes us stop, where it does. */
export function suspensionFor({ suspend = [] }: ShapingRule, reply: Reply): Suspension | undefined {
  const status = enhancedCode(reply) ?? ''
  const text = `${reply.code} ${status} ${reply.lines.join(' ')}`.toLowerCase()
  return suspend.find(known => matchesGlob(globOf(known.reply), text))
}

/** The rate that a rule's warm-up allows now. */
export function warmUpRate({ warmUp }: ShapingRule, now: number): Rate | undefined {
  if (warmUp === undefined) return undefined
  const day = Math.max(0, Math.floor((now - warmUp.fromMs) / DAY_MS))
  const messages = warmUp.perDay[day]
  return messages === undefined ? undefined : { messages, perMs: DAY_MS }
}

const DAY_MS = 86_400_000

const globs = new Map<string, Glob>()

/** Patterns are few: those of the config in force and before it. */
function globOf(text: string): Glob {
  const known = globs.get(text)
  if (known !== undefined) return known
  const made = glob(text)
  if (globs.size > 1000) globs.clear()
  globs.set(text, made)
  return made
}

function matches(pattern: string, texts: readonly string[]): boolean {
  return texts.some(text => matchesGlob(globOf(pattern), text.toLowerCase()))
}
