/**
 * What the inbound roles (MX, submission, local) share and in what they differ. A role is a page of
 * rules; reception.ts is the one machinery that runs them for every listener.
 */
import type { Directory } from '../account/directory.ts'
import type { QuotaUsage } from '../account/quota.ts'
import type { Scope } from '../account/verifier.ts'
import type { HookAnswer, HookFacts, HookName } from '../hook/hook.ts'
import type { Room } from '../limit/free-space.ts'
import type { Outgoing } from '../limit/outgoing.ts'
import type { Visitor } from '../limit/visit.ts'
import type { Address } from '../mail/address.ts'
import type { Envelope, Recipient, Sender } from '../mail/envelope.ts'
import type { Verdict } from '../mail/verdict.ts'
import type { Amended } from '../message/amend.ts'
import type { Header } from '../message/header.ts'
import type { Identity } from '../queue/id.ts'
import type { Spool } from '../queue/spool.ts'
import type { Facts } from '../route/match.ts'
import type { Account, LoginAnswer, LoginQuestion } from '../sasl/mechanism.ts'
import type { Later, Node, Peer, StartAnswer } from '../smtp/server/question.ts'
import type { Transit } from '../transit/transit.ts'
import type { Source } from '../wire/effect.ts'
import type { World } from '../world/world.ts'
import type { Checkpoints } from './checkpoint.ts'
import type { IdentityRules } from './identity.ts'

/** What every role needs of the house. Made once by the composer; `settings` follow the config epoch. */
export interface Inbound {
  readonly world: World
  readonly spool: Spool
  /** Transactions that their clients gave a name (RFC 1845). */
  readonly checkpoints: Checkpoints
  readonly directory: Directory
  readonly identify: () => Identity
  readonly login: (
    question: LoginQuestion,
    visitor: Visitor,
    scope: Scope | 'odmr',
  ) => Later<LoginAnswer>
  /** What an account holds, for who has a limit. */
  readonly usage: (accountId: number) => Promise<QuotaUsage>
  /** What accounts may send in an hour and a day. */
  readonly outgoing: Outgoing
  readonly settings: () => InboundSettings
  readonly hooks: () => Hooks | undefined
  readonly onDemand: OnDemand
  readonly rules: InboundRules
  /** What a signed URL names, for who submits by it (RFC 4468). */
  readonly refer: (account: Account, url: string) => Promise<Referred>
  /** Addresses that we made ourselves, and whom they lead to. */
  readonly transit: Transit
  /** Whether the disk has room for more. */
  readonly room: Room
  /** Counts what happened, by name; see record/metrics.ts. */
  readonly count: (event: 'accepted' | 'refused' | 'deferred') => void
}

export type Referred =
  | { readonly kind: 'octets'; readonly sizeOctets: number; readonly content: Source }
  /** No URL that is signed: nothing is fetched by such. */
  | { readonly kind: 'elsewhere' }
  /** Signed by nobody here, or not for him; and no word about which. */
  | { readonly kind: 'denied' }
  /** Signed for him, and there is nothing by that name any more. */
  | { readonly kind: 'gone' }

export interface InboundSettings {
  readonly hostname: string
  readonly hopsMax: number
  readonly enforceSender: boolean
  readonly identities: IdentityRules
  /** Whether there is a next hop that we log in at, and that is told who submitted. */
  readonly tellsSubmitter: boolean
  /** Accepts under way at once before 451 (the committer is behind). */
  readonly acceptQueueMax: number
  readonly localPerMinuteMax: number
  /** Larger bodies are staged, not written into their row. */
  readonly inlineUpToOctets: number
}

/** Mail kept for customers until they ask for it (RFC 1985, RFC 2645): who may, and what there is. */
export interface OnDemand {
  /** Whether mail for the domain is taken for a customer, whoever its recipient is. */
  takes(domain: string): boolean
  start(peer: Peer, node: Node): Later<StartAnswer>
  /** The domains whose mail goes over the connection once the roles have changed; or why none does. */
  exchange(
    peer: Peer,
    verb: 'ATRN' | 'TURN',
    domains: readonly string[],
  ): Later<{ readonly kind: 'exchange'; readonly domains: readonly string[] } | Refusal>
}

/** The rules of the config for where mail goes (route/), as far as a session hears of them. */
export interface InboundRules {
  /** Whether mail for a domain that is not ours is taken from anybody, to be carried on by the rules. */
  relaysFor(domain: string): boolean
  /** Whether one of them is for that domain by its name. */
  names(domain: string): boolean
  /** Whether any of them refuses mail: nothing need be read for them where not. */
  refuseAny(): boolean
  /** What is said where a rule refuses each of these; undefined where one of them may be taken, or nobody can tell. */
  refusal(
    facts: readonly Facts[],
  ): { readonly status: `5.${number}.${number}`; readonly text: string } | undefined
}

export type Refusal = Exclude<Verdict, { kind: 'accept' }>

/** The user's own policy, as the roles ask it: undefined is no opinion. */
export interface Hooks {
  has(name: HookName): boolean
  ask<Name extends HookName>(
    name: Name,
    facts: HookFacts<Name>,
  ): Promise<HookAnswer<Name> | undefined>
}

/** What a role adds to a complete message: text of header fields, or a refusal. */
export type Completion =
  | {
      readonly kind: 'complete'
      readonly fields: string
      /** In place of the one that MAIL named. */
      readonly reversePath?: Address
    }
  | Exclude<Verdict, { kind: 'accept' }>

/** The rules of one role. Each answers at once where it can. */
export interface Role {
  readonly origin: 'mx' | 'submission' | 'local'
  /** What logins are for, where that is not `smtp`. */
  readonly scope?: 'odmr'
  /** Names of header fields that are left out of the message. A relay leaves it alone (§6.4). */
  readonly omitted: readonly string[]
  mail(peer: Peer, sender: Sender): Later<Verdict>
  rcpt(peer: Peer, envelope: Envelope, recipient: Recipient): Later<Verdict>
  /** The header under the rules of whom it may name, where there are any. */
  authors?(peer: Peer, sender: Sender, header: Amended): Later<Amended | Refusal>
  /** Whether `authors` may write fields of this header anew; otherwise it is asked once the message is complete. */
  rewrites?(header: Header): boolean
  /** `header` is that of the message as it came, with what was written anew in it. */
  complete(peer: Peer, envelope: Envelope, header: Header, identity: Identity): Later<Completion>
}
