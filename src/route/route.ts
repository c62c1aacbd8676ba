/** Where a recipient's mail goes next. Resolved at attempt time, never stored. */

import type { Credentials } from '../sasl/mechanism.ts'

/** Credentials of ours for a next hop that wants AUTH. */
export type HopLogin = Credentials

/** 'any' takes both in turn; the families of a name alone, or one before the other. */
export type AddressFamily = 'any' | 'ipv4' | 'ipv6' | 'ipv4-first' | 'ipv6-first'

/** What becomes of 8-bit mail where a hop has no 8BITMIME. */
export type EightBit = 'convert' | 'send-anyway'

/** How we go out. What is absent is as the settings say for all. */
export interface Egress {
  /** What we call ourselves in EHLO. */
  readonly hostname?: string
  /** Addresses of ours to connect from: at random one of the host's family. */
  readonly sourceAddresses?: readonly string[]
  readonly addressFamily?: AddressFamily
  readonly eightBit?: EightBit
  /** Extensions that are not used though they are offered, by keyword in capitals. */
  readonly without?: readonly string[]
}

/** A fixed next hop. `host` is a name (its addresses are used, no MX), an address, or the path of a Unix socket. */
export interface NextHop extends Egress {
  readonly host: string
  readonly port: number
  /** 'never' speaks clear text; 'opportunistic' takes STARTTLS where offered; 'require' and 'implicit' verify. */
  readonly tls: 'never' | 'opportunistic' | 'require' | 'implicit'
  /** Its certificate is one of these, by fingerprint (world/net.ts); then nobody vouches for it, and any name will do. */
  readonly pins?: readonly string[]
  /** 'lmtp' where the hop keeps the mailboxes (RFC 2033); 'smtp' unless said. */
  readonly protocol?: 'smtp' | 'lmtp'
  readonly login?: HopLogin
  /** Tell it by XFORWARD whom a message came from, if it offers that. */
  readonly xforward?: boolean
  /** Neighbours in a list that all have one are tried in an order of chance, by their weights. */
  readonly weight?: number
}

/** How mail goes to a domain's own hosts, where not as usual. */
export interface MxEgress extends Egress {
  readonly port?: number
  readonly tls?: 'never' | 'opportunistic' | 'require'
}

/** How a program takes mail. */
export interface Pipe {
  /** Its absolute path and its arguments, which may have placeholders (transport/placeholder.ts). */
  readonly argv: readonly string[]
  /** Whom it runs as, where the server is root; else it runs as the server does. */
  readonly user?: string
  /** Where it runs; `/` unless said. */
  readonly folder?: string
  /** All of its environment but PATH. */
  readonly environment?: Readonly<Record<string, string>>
  readonly timeoutMs: number
  /** A From_ line in front: true as in an mbox; with text as UUCP wants it, remote from that name. */
  readonly fromLine?: boolean | string
  /** 'lf' unless said. */
  readonly lineEnds?: 'lf' | 'crlf'
  /** It keeps the mail: Return-Path and Delivered-To stand in front, and the recipient has it. */
  readonly final?: boolean
}

interface Instead {
  /** The configured hops it was made of, as people read it; keeps routes apart that differ in nothing else we see. */
  readonly name?: string
  /** Who is tried when nobody before could be spoken to, in order. */
  readonly instead?: readonly NextHop[]
}

export type Route =
  /** A mailbox here. */
  | { readonly kind: 'local' }
  /** The domain's own hosts, by MX or address record (RFC 5321 §5); or an address literal. */
  | ({ readonly kind: 'mx'; readonly domain: string; readonly egress?: MxEgress } & Instead)
  /** Kept until its customer asks for it (RFC 1985, RFC 2645). */
  | { readonly kind: 'onDemand'; readonly domain: string }
  | ({ readonly kind: 'smarthost' } & NextHop & Instead)
  /** Nowhere: taken, and gone. */
  | { readonly kind: 'discard' }
  /** Kept until the operator lets it go. */
  | { readonly kind: 'hold'; readonly reason: string }
  /** Back to its sender; in the session where it can be said there. */
  | { readonly kind: 'reject'; readonly status: `5.${number}.${number}`; readonly text: string }

  /** To a program of this machine. */
  | ({ readonly kind: 'pipe' } & Pipe)
  /** Into a Maildir or an mbox that is not ours to read; the path may have placeholders (transport/placeholder.ts). */
  | { readonly kind: 'maildir'; readonly path: string }
  | { readonly kind: 'mbox'; readonly path: string }
  /** What the rules ask for could not be read just now: it waits. */
  | { readonly kind: 'undecided'; readonly reason: string }

/** Routes that lead to another host. */
export type RemoteRoute = Extract<Route, { readonly kind: 'mx' | 'smarthost' }>

export function isRemote(route: Route): route is RemoteRoute {
  return route.kind === 'mx' || route.kind === 'smarthost'
}

/** The name under which loads for one route are grouped, limited and pooled; people read it too. */
export function routeKey(route: Route): string {
  switch (route.kind) {
    case 'local':
    case 'discard':
    case 'hold':
    case 'reject':
    case 'undecided':
      return route.kind
    case 'onDemand':
      return `onDemand:${route.domain}`
    case 'pipe':
      return `pipe:${route.argv[0]}`
    case 'maildir':
    case 'mbox':
      return `${route.kind}:${route.path}`
    case 'mx':
      return `mx:${route.domain}${named(route)}`
    case 'smarthost':
      return `${route.protocol === 'lmtp' ? 'lmtp' : 'host'}:${route.host}:${route.port}${named(route)}`
  }
}

function named({ name }: Instead): string {
  return name === undefined ? '' : ` (${name})`
}

/** The fixed hops of a route, in order. */
export function hopsOf(route: Route): readonly NextHop[] {
  if (!isRemote(route)) return []
  const { instead = [] } = route
  return route.kind === 'smarthost' ? [route, ...instead] : instead
}

/** Whether each recipient goes by it alone: what has been done for one is then known before the next. */
export function isOneByOne(route: Route): boolean {
  if (route.kind === 'pipe') return !route.argv.includes('{recipients}')
  return route.kind === 'maildir' || route.kind === 'mbox'
}
