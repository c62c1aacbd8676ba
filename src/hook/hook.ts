/**
 * A user's own policy, as types: what a hook is told and what it may say. The names are those of
 * smtp/server/question.ts; `route` is asked by route/ for every attempt. Asked once the server's own policy
 * has accepted: a hook can only make it stricter. One that returns undefined has no opinion.
 */
import type { Envelope, Recipient, Sender } from '../mail/envelope.ts'
import type { Forwarded } from '../mail/forwarded.ts'
import type { Verdict } from '../mail/verdict.ts'
import type { Origin } from '../route/match.ts'
import type { Route } from '../route/route.ts'
import type { Endpoint, TlsFacts } from '../wire/effect.ts'

/** The peer as a hook sees it: question.ts's Peer, copied, and the listener it came to. */
export interface HookPeer {
  readonly remote: Endpoint
  readonly local: Endpoint
  readonly hello: string
  readonly extended: boolean
  readonly tls?: TlsFacts
  readonly account?: { readonly id: number; readonly address: string }
  /** Its host name, where a trusted peer has told it (XCLIENT). */
  readonly name?: string
  /** Whom the message came from, where a trusted peer has told it (XFORWARD). */
  readonly forwarded?: Forwarded
  /** 'smtp', 'submission', 'submissions', 'lmtp', 'local'. */
  readonly listener?: string
}

/** The facts and the answer of each hook. */
export interface HookMap {
  connect: { facts: { readonly peer: HookPeer }; answer: Verdict }
  hello: { facts: { readonly peer: HookPeer }; answer: Verdict }
  mail: { facts: { readonly peer: HookPeer; readonly sender: Sender }; answer: Verdict }
  rcpt: {
    facts: {
      readonly peer: HookPeer
      readonly envelope: Envelope
      readonly recipient: Recipient
    }
    answer: Verdict
  }
  data: { facts: { readonly peer: HookPeer; readonly envelope: Envelope }; answer: Verdict }
  accept: {
    facts: {
      readonly peer: HookPeer
      readonly envelope: Envelope
      readonly sizeOctets: number
      /** The message's id. */
      readonly id?: string
      /** The beginning of the message, its header in most cases, as latin1 text. */
      readonly head?: string
    }
    answer: Verdict
  }
  /** Asked where no password is kept here for a name: is it his? undefined: not known to this function. */
  login: {
    facts: {
      readonly username: string
      readonly password: string
      /** 'smtp', 'imap' or 'pop3'. */
      readonly service: string
    }
    answer: /** It is he, and this is his account; made where it is not there yet and its domain is ours. */
    { readonly kind: 'account'; readonly address: string } | { readonly kind: 'wrong' }
  }
  route: {
    facts: {
      /** As formatAddress writes it. */
      readonly recipient: string
      readonly domain: string
      /** '' is the null reverse-path. */
      readonly sender: string
      readonly id?: string
      /** Who let it in: 'mx', 'submission', 'local', 'notice'. */
      readonly origin: Origin
      /** The address of the peer that handed it in; '' where it has none. */
      readonly peer: string
      readonly sizeOctets: number
    }
    answer: HookRoute
  }
}

/** A route, or hops of `outbound.hops` by their names. */
export type HookRoute = Route | { readonly kind: 'hops'; readonly hops: readonly string[] }

export type HookName = keyof HookMap
export type HookFacts<Name extends HookName> = HookMap[Name]['facts']
export type HookAnswer<Name extends HookName> = HookMap[Name]['answer']

/** `hooks` of a config file. */
export type HookFunctions = {
  readonly [Name in HookName]?: (
    facts: HookFacts<Name>,
  ) => HookAnswer<Name> | undefined | void | Promise<HookAnswer<Name> | undefined | void>
}

export const HOOK_NAMES: readonly HookName[] = [
  'connect',
  'hello',
  'mail',
  'rcpt',
  'data',
  'accept',
  'login',
  'route',
]
