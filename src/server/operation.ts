/**
 * What the command line may ask of a server, on one page: the name of each operation, its input
 * and its output. server/control.ts implements the table; cli/command/* calls it, over the control
 * socket while a server runs, in process when none does. Types only; all of it survives JSON.
 *
 * Times are ms since the epoch, sizes are octets. An address is text as formatAddress writes it.
 */

import type { ListedApp } from '../account/reader.ts'
import type { Scope } from '../account/verifier.ts'
import type { Change } from '../queue/change.ts'
import type { Key } from '../queue/matching.ts'
import type { Moment } from '../queue/query-sql.ts'
import type { ExplainInput, ExplainOutput } from './explain/explained.ts'
import type { BanOperations } from './operation/ban-record.ts'
import type { DestinationOperations } from './operation/destination-record.ts'
import type {
  IdentityRecord,
  ImportedAccount,
  QuotaRecord,
  UndeleteItem,
  UndeleteSelection,
} from './operation-account.ts'
import type { Explanation, MessageRecord, QueueItem, RecipientState } from './operation-message.ts'

export type * from './operation-account.ts'
export type * from './operation-message.ts'

/** What an operator wants of recipients. */
export type QueueOrder =
  | Change
  /** Given up now, as if by age: the sender is told. */
  | { readonly order: 'expire' }
  /** Ended as a failure, and the sender is told. */
  | { readonly order: 'bounce' }

/** Which recipients: a query (queue/query-text.ts), or nothing and `all`. */
export interface QueueSelection {
  readonly query: string
  readonly all?: boolean
}

/** What would be changed, before it is. */
export interface QueuePreview {
  /** To be given with the order, so that it means what was shown. */
  readonly moment: Moment
  readonly recipients: number
  readonly messages: number
  readonly byState: readonly { readonly state: RecipientState; readonly recipients: number }[]
  /** The largest first; `others` are in none of them. */
  readonly byDomain: readonly { readonly domain: string; readonly recipients: number }[]
  readonly others: number
  /** When the oldest came in. */
  readonly oldest?: number
  /** The first few. */
  readonly items: readonly QueueItem[]
  /** Matching, but being carried just now: they do not obey. */
  readonly carried: number
}

export interface AccountRecord {
  readonly address: string
  readonly disabled: boolean
  readonly createdAt: number
}

export interface AliasRecord {
  readonly address: string
  readonly targets: readonly string[]
  /** 'file': declared in the config, and only edited there. */
  readonly origin: 'file' | 'rows'
}

export interface DomainRecord {
  readonly name: string
  readonly catchAll?: string
  readonly origin: 'file' | 'rows'
}

export interface ServerStatus {
  readonly running: boolean
  readonly pid: number
  readonly version: string
  readonly hostname: string
  readonly data: string
  readonly startedAt: number
  /** The hash of the config epoch in force. */
  readonly epoch: string
  readonly listeners: Readonly<Record<string, number | string>>
  readonly queued: number
  readonly held: number
}

/** A node of the database as the others see it. */
export interface NodeRecord {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly version: string
  /** The hash of what all nodes' configs should have in common. */
  readonly config: string
  readonly startedAt: number
  /** How long ago it was seen, in ms, by the database's clock. */
  readonly silentMs: number
  /** 'silent': not seen for 30 s, and as good as dead. */
  readonly state: 'working' | 'draining' | 'silent'
}

/** One finding of `check`; `error` breaks an invariant, `warning` is only unusual. */
export interface CheckFinding {
  readonly severity: 'error' | 'warning'
  readonly what: string
  /** What to do about it. */
  readonly remedy?: string
}

/** A provider that no config names; what is absent is as in `fetch` of the config. */
export interface FetchedProvider {
  readonly host: string
  readonly by: 'atrn' | 'etrn' | 'turn'
  readonly domains?: readonly string[]
  readonly port?: number
  readonly tls?: 'never' | 'opportunistic' | 'require' | 'implicit'
  readonly username?: string
  readonly password?: string
}

/** What a provider said. */
export interface FetchRecord {
  readonly host: string
  readonly answers: readonly { readonly asked: string; readonly said: string }[]
  /** Mail came over the connection, its roles exchanged. */
  readonly exchanged: boolean
  /** Why nothing, or nothing more, could be asked. */
  readonly trouble?: string
}

/** Nothing to say: the operation was done. */
export type Done = Readonly<Record<string, never>>

export interface OperationMap extends DestinationOperations, BanOperations {
  'queue.list': {
    input: {
      /** A query; '' is all that waits. */
      readonly query?: string
      /** At most this many (default 100), oldest first, behind this one. */
      readonly limit?: number
      readonly after?: Key
    }
    /** `total` counts those on other pages too; `next` is there where there are more. */
    output: { readonly items: readonly QueueItem[]; readonly total: number; readonly next?: Key }
  }
  'queue.show': {
    input: { readonly message: string; readonly content?: boolean }
    /** `content`: the message itself (or its first 1 MB), octets as latin1 text. */
    output: MessageRecord & { readonly content?: string }
  }
  'queue.preview': { input: QueueSelection & QueueOrder; output: QueuePreview }
  /**
   * Carries an order out on some of what matches, behind `after`; `next` is there where there is more to do.
   * `passed` did not wait any more when its turn came.
   */
  'queue.change': {
    input: QueueSelection & QueueOrder & { readonly moment?: Moment; readonly after?: Key }
    output: {
      readonly changed: number
      readonly passed: number
      readonly moment: Moment
      readonly next?: Key
    }
  }
  'queue.why': {
    /** A message's id, or an address: the newest recipients that match, at most 20. */
    input: { readonly subject: string }
    output: { readonly explanations: readonly Explanation[] }
  }
  'account.add': {
    /** Without a password one is made up and given back, this once. The domain must exist. */
    input: { readonly address: string; readonly password?: string }
    output: { readonly address: string; readonly password?: string }
  }
  'account.list': {
    input: { readonly domain?: string }
    output: { readonly accounts: readonly AccountRecord[] }
  }
  'account.password': {
    input: { readonly address: string; readonly password?: string }
    output: { readonly address: string; readonly password?: string }
  }
  /** How much it may hold: null leaves it to the config, 0 is no limit. What is not given stays as it is. */
  'account.quota': {
    input: {
      readonly address: string
      readonly octets?: number | null
      readonly messages?: number | null
    }
    output: QuotaRecord
  }
  /** Adds accounts with the hashes that another server kept, or gives them to accounts that are there. */
  'account.import': {
    input: { readonly entries: readonly ImportedAccount[] }
    output: {
      readonly imported: number
      readonly refused: readonly { readonly address: string; readonly why: string }[]
    }
  }
  /** Makes a password for one program and gives it back, this once. */
  'account.app-password.add': {
    input: {
      readonly address: string
      readonly label: string
      readonly scopes?: readonly Scope[]
    }
    output: { readonly id: string; readonly password: string }
  }
  'account.app-password.list': {
    input: { readonly address: string }
    output: { readonly apps: readonly ListedApp[] }
  }
  /** By its label or id. */
  'account.app-password.remove': {
    input: { readonly address: string; readonly named: string }
    output: Done
  }
  /** An address or a pattern that it may write as; `delegate`: on behalf of, with `Sender`. */
  'account.identity.add': {
    input: { readonly address: string; readonly pattern: string; readonly delegate?: boolean }
    output: IdentityRecord
  }
  /** Those of the rows and those of the config. */
  'account.identity.list': {
    input: { readonly address: string }
    output: { readonly identities: readonly IdentityRecord[] }
  }
  'account.identity.remove': {
    input: { readonly address: string; readonly pattern: string }
    output: IdentityRecord
  }
  'account.disable': { input: { readonly address: string }; output: Done }
  'account.enable': { input: { readonly address: string }; output: Done }
  /** Refused while its mailbox holds mail, unless `withMail`. */
  'account.remove': {
    input: { readonly address: string; readonly withMail?: boolean }
    output: Done
  }
  'undelete.list': {
    input: UndeleteSelection
    /** `total` counts those beyond the first 1000 too. */
    output: { readonly items: readonly UndeleteItem[]; readonly total: number }
  }
  'undelete.restore': { input: UndeleteSelection; output: { readonly restored: number } }
  'alias.add': {
    input: { readonly address: string; readonly targets: readonly string[] }
    output: Done
  }
  'alias.list': {
    input: { readonly domain?: string }
    output: { readonly aliases: readonly AliasRecord[] }
  }
  /** Without targets the whole alias goes. */
  'alias.remove': {
    input: { readonly address: string; readonly targets?: readonly string[] }
    output: Done
  }
  'domain.add': { input: { readonly name: string; readonly catchAll?: string }; output: Done }
  'domain.list': { input: Done; output: { readonly domains: readonly DomainRecord[] } }
  'domain.remove': { input: { readonly name: string }; output: Done }
  trace: {
    /** A message's id, or the beginning of one. */
    input: { readonly id: string }
    output: MessageRecord
  }
  explain: { input: ExplainInput; output: ExplainOutput }
  /**
   * A consistent copy of database and staged bodies; `folder` is absolute, absent or empty. Without bodies it
   * is no backup: for who wants to look at the database alone.
   */
  backup: {
    input: { readonly folder: string; readonly bodies?: false }
    output: { readonly folder: string; readonly sizeOctets: number; readonly files: number }
  }
  check: {
    input: Done
    output: { readonly findings: readonly CheckFinding[]; readonly checked: number }
  }
  status: { input: Done; output: ServerStatus }
  /**
   * Asks providers for our mail: those of the config (with `host`, only that one), or the one that is given
   * whole. The answer comes when all is here that they sent over our connection.
   */
  fetch: {
    input: {
      readonly host?: string
      readonly provider?: FetchedProvider
    }
    output: { readonly fetched: readonly FetchRecord[] }
  }
  /** `configsDiffer`: nodes that are alive were started on different configs. */
  nodes: {
    input: Done
    output: { readonly nodes: readonly NodeRecord[]; readonly configsDiffer: boolean }
  }
}

export type OperationName = keyof OperationMap
export type OperationInput<Name extends OperationName> = OperationMap[Name]['input']
export type OperationOutput<Name extends OperationName> = OperationMap[Name]['output']

/** A table of all operations over some context: what server/control.ts exports. */
export type Operations<Context> = {
  readonly [Name in OperationName]: (
    context: Context,
    input: OperationInput<Name>,
  ) => Promise<OperationOutput<Name>>
}

/** What stands in the answer over the control socket. `exit` is one of sysexits (cli/exit.ts). */
export type OperationAnswer<Output> =
  | { readonly ok: true; readonly value: Output }
  | { readonly ok: false; readonly error: { readonly message: string; readonly exit: number } }
