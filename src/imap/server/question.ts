/**
 * Every question an IMAP session asks, on one page: the policy surface of the room. access/imap.ts
 * answers it from the mailboxes; an embedder may answer it from anything. The session knows grammar,
 * order and the client's view of its mailbox; it knows no store (RFC 9051 §3).
 *
 * A method may answer at once or with a promise. Any question may be answered by `No`, which becomes the
 * tagged NO with its code. A throw is answered by a NO [SERVERBUG] for it.
 */

import type { Thread, ThreadAlgorithm } from '../../message/thread.ts'
import type { Account, LoginAnswer, LoginQuestion } from '../../sasl/mechanism.ts'
import type { Endpoint, TlsFacts } from '../../wire/effect.ts'
import type { Annotation } from '../metadata.ts'
import type { SearchKey } from '../search-key.ts'
import type { SortCriterion } from '../sort.ts'
import type { ImapUrl } from '../url.ts'
import type {
  AppendMessage,
  Changes,
  FetchedMessage,
  FetchWish,
  FlagState,
  ListedMailbox,
  MailboxStatus,
  OpenedMailbox,
  Quota,
  SectionAnswer,
  StateTable,
  StoreMode,
  WatchedMailbox,
} from './fact.ts'

/** The peer as it is known so far. */
export interface Peer {
  readonly remote: Endpoint
  readonly local: Endpoint
  readonly tls?: TlsFacts
  readonly account?: Account
}

/** Response codes of a NO that policy may give (RFC 9051 §7.1, RFC 5530). */
export type NoCode =
  | 'ALREADYEXISTS'
  | 'CANNOT'
  | 'CONTACTADMIN'
  | 'EXPUNGEISSUED'
  | 'HASCHILDREN'
  | 'INUSE'
  | 'LIMIT'
  | 'METADATA TOOMANY'
  | 'NONEXISTENT'
  | 'NOPERM'
  | 'OVERQUOTA'
  | 'SERVERBUG'
  | 'TOOBIG'
  | 'TRYCREATE'
  | 'UNAVAILABLE'
  | 'USEATTR'

export interface No {
  readonly kind: 'no'
  readonly code?: NoCode
  readonly why: string
}

export type * from './fact.ts'

export interface SearchQuestion {
  readonly key: SearchKey
  /** Sequence numbers of the client's view: index + 1. */
  readonly uids: ArrayLike<number>
  /** Saved result of RFC 5182, for `$`. */
  readonly saved: readonly number[]
}

/** The questions as data, as they pass through the pump. */
export type Question =
  | { readonly kind: 'connect'; readonly peer: Peer }
  | { readonly kind: 'login'; readonly peer: Peer; readonly question: LoginQuestion }
  | { readonly kind: 'mailboxes'; readonly account: Account }
  | {
      readonly kind: 'status'
      readonly account: Account
      readonly mailbox: string
      /** DELETED-STORAGE and RECENT are asked for, which have to be counted. */
      readonly deletedOctets?: true
      readonly recent?: true
    }
  | { readonly kind: 'quota'; readonly account: Account; readonly root: string }
  /** The roots that hold for a mailbox; it need not exist. */
  | { readonly kind: 'quota roots'; readonly account: Account; readonly mailbox: string }
  | {
      readonly kind: 'create'
      readonly account: Account
      readonly mailbox: string
      readonly specialUse: readonly string[]
    }
  | { readonly kind: 'delete'; readonly account: Account; readonly mailbox: string }
  | {
      readonly kind: 'rename'
      readonly account: Account
      readonly mailbox: string
      readonly to: string
    }
  | {
      readonly kind: 'subscribe'
      readonly account: Account
      readonly mailbox: string
      readonly on: boolean
    }
  /** What is noted at a mailbox, or at the server where its name is empty (RFC 5464). */
  | { readonly kind: 'metadata'; readonly account: Account; readonly mailbox: string }
  /** Notes it, or forgets it where the value is undefined: all of it or nothing. */
  | {
      readonly kind: 'annotate'
      readonly account: Account
      readonly mailbox: string
      readonly annotations: readonly {
        readonly entry: string
        readonly value: string | undefined
      }[]
    }
  /** Rights of who asks (RFC 4314 §3.5); rights are letters in the order of right.ts. */
  | { readonly kind: 'rights'; readonly account: Account; readonly mailbox: string }
  /** Everybody's. */
  | { readonly kind: 'acl'; readonly account: Account; readonly mailbox: string }
  | {
      readonly kind: 'set rights'
      readonly account: Account
      readonly mailbox: string
      readonly identifier: string
      readonly mode: '+' | '-' | '='
      readonly rights: string
    }
  /** From now on the role tells `changed` when something happens in any mailbox (RFC 5465), or no more. */
  | { readonly kind: 'watch'; readonly account: Account; readonly on: boolean }
  /** All mailboxes, as they are now. */
  | { readonly kind: 'watched'; readonly account: Account }
  /** From now on the role tells `changed` when something happens in it. */
  | {
      readonly kind: 'open'
      readonly account: Account
      readonly mailbox: string
      readonly readOnly: boolean
      /** The client is told what is recent, as IMAP4rev1 has it; where it may write, no other will be. */
      readonly recent: boolean
    }
  /** CLOSE, UNSELECT, another SELECT: nothing more is to be told. */
  | { readonly kind: 'leave'; readonly key: number }
  /** What happened in the open mailbox since then, for one who knows all UIDs below `uidNext`. */
  | {
      readonly kind: 'changes'
      readonly key: number
      readonly sinceModSeq: number
      readonly uidNext: number
    }
  /** All that happened in the open mailbox after that mod-sequence, for a client that was away (RFC 7162 §3.2). */
  | { readonly kind: 'since'; readonly key: number; readonly modSeq: number }
  /** Messages in the order of these UIDs; one that is gone is left out. */
  | {
      readonly kind: 'fetch'
      readonly key: number
      readonly uids: readonly number[]
      readonly wish: FetchWish
      /** Sets \\Seen first; what is told is how it is then. */
      readonly markSeen: boolean
    }
  | {
      readonly kind: 'store'
      readonly key: number
      readonly uids: readonly number[]
      readonly mode: StoreMode
      readonly flags: readonly string[]
      /** UNCHANGEDSINCE (RFC 7162 §3.1.3). */
      readonly unchangedSince?: number
    }
  | {
      readonly kind: 'copy'
      readonly account: Account
      readonly key: number
      readonly uids: readonly number[]
      readonly mailbox: string
      /** MOVE (RFC 6851): the originals vanish by the same transaction. */
      readonly move: boolean
    }
  /** Removes messages with \Deleted, of these UIDs only where given. */
  | { readonly kind: 'expunge'; readonly key: number; readonly uids?: readonly number[] }
  | { readonly kind: 'search'; readonly key: number; readonly search: SearchQuestion }
  /** In a mailbox that need not be open (RFC 7377). */
  | {
      readonly kind: 'search in'
      readonly account: Account
      readonly mailbox: string
      readonly wanted: SearchKey
    }
  | {
      readonly kind: 'sort'
      readonly key: number
      readonly search: SearchQuestion
      readonly criteria: readonly SortCriterion[]
    }
  | {
      readonly kind: 'thread'
      readonly key: number
      readonly search: SearchQuestion
      readonly algorithm: ThreadAlgorithm
    }
  /** May these octets follow? Then they come by `content`; `abandon` forgets all since the last commit. */
  | { readonly kind: 'append'; readonly account: Account; readonly message: AppendMessage }
  /** The token of a URL of one's own (RFC 4467 §3.2.2); its access is in it. */
  | { readonly kind: 'sign url'; readonly account: Account; readonly url: ImapUrl }
  | { readonly kind: 'reset key'; readonly account: Account; readonly mailbox?: string }
  /** What a signed URL names, for who may fetch it; its encoding undone, and its structure told, where asked for. */
  | {
      readonly kind: 'fetch url'
      readonly account: Account
      readonly url: ImapUrl
      readonly as: 'octets' | 'binary'
      readonly structure?: { readonly utf8: boolean }
    }
  /** What a URL names is the next part of the message that is appended (RFC 4469). */
  | { readonly kind: 'append url'; readonly account: Account; readonly url: ImapUrl }
  /** All messages appended since: in one transaction or not at all (RFC 3502). */
  | {
      readonly kind: 'commit'
      readonly account: Account
      readonly mailbox: string
      /** REPLACE (RFC 8508): this one vanishes by the same transaction. */
      readonly replaces?: { readonly key: number; readonly uid: number }
    }
  | { readonly kind: 'abandon' }

export interface Watching {
  readonly kind: 'watched'
  readonly mailboxes: readonly WatchedMailbox[]
}

export type Done = { readonly kind: 'done' }

/** The answer that belongs to each question; `No` may stand for any but those of connect and login. */
export interface Answers {
  readonly connect: { readonly kind: 'welcome' } | No
  readonly login: LoginAnswer
  readonly mailboxes:
    | { readonly kind: 'mailboxes'; readonly mailboxes: readonly ListedMailbox[] }
    | No
  readonly status: { readonly kind: 'status'; readonly status: MailboxStatus } | No
  readonly quota: { readonly kind: 'quota'; readonly quota: Quota } | No
  readonly 'quota roots': { readonly kind: 'quotas'; readonly quotas: readonly Quota[] } | No
  readonly create: { readonly kind: 'created'; readonly mailboxId: string } | No
  readonly delete: Done | No
  readonly rename: Done | No
  readonly subscribe: Done | No
  readonly metadata: { readonly kind: 'metadata'; readonly annotations: readonly Annotation[] } | No
  readonly annotate: Done | No
  readonly rights: { readonly kind: 'rights'; readonly rights: string } | No
  readonly acl:
    | {
        readonly kind: 'acl'
        readonly owner: string
        /** Of others than the owner, who has them all. */
        readonly entries: readonly { readonly identifier: string; readonly rights: string }[]
      }
    | No
  readonly 'set rights': Done | No
  readonly watch: Done | Watching | No
  readonly watched: Watching | No
  readonly open: { readonly kind: 'opened'; readonly mailbox: OpenedMailbox } | No
  readonly leave: Done
  readonly changes: { readonly kind: 'changes'; readonly changes: Changes } | No
  readonly since: { readonly kind: 'changes'; readonly changes: Changes } | No
  readonly fetch:
    | { readonly kind: 'fetched'; readonly messages: readonly FetchedMessage[] }
    /** May answer a wish for nothing but flags. */
    | { readonly kind: 'states'; readonly states: StateTable }
    | No
  readonly store:
    | {
        readonly kind: 'stored'
        readonly stored: readonly FlagState[]
        /** UIDs left alone, since they had changed (RFC 7162 §3.1.3). */
        readonly modified: readonly number[]
      }
    | No
  readonly copy:
    | {
        readonly kind: 'copied'
        readonly uidValidity: number
        /** Source and new UIDs, pair by pair; those that were gone are left out. */
        readonly from: readonly number[]
        readonly to: readonly number[]
        /** Who copied may not read there: he is not told of UIDs. */
        readonly untold?: true
      }
    | No
  readonly expunge: { readonly kind: 'expunged' } | No
  readonly search:
    | {
        readonly kind: 'found'
        /** Ascending. */
        readonly uids: readonly number[]
        /** Of each of them. */
        readonly modSeqs: readonly number[]
      }
    | No
  readonly 'search in':
    | {
        readonly kind: 'found in'
        readonly uidValidity: number
        readonly uids: readonly number[]
        readonly modSeqs: readonly number[]
      }
    | No
  /** In the order asked for. */
  readonly sort:
    | {
        readonly kind: 'sorted'
        readonly uids: readonly number[]
        readonly modSeqs: readonly number[]
      }
    | No
  readonly thread: { readonly kind: 'threaded'; readonly threads: readonly Thread[] } | No
  readonly append: Done | No
  readonly 'sign url': { readonly kind: 'signed'; readonly token: string } | No
  readonly 'reset key': Done | No
  readonly 'fetch url':
    | {
        readonly kind: 'named'
        readonly data: Exclude<SectionAnswer, { readonly kind: 'absent' }>
        /** As imap/structure.ts writes it; absent where it has none. */
        readonly structure?: string
      }
    | { readonly kind: 'absent' }
    | No
  readonly 'append url': { readonly kind: 'size'; readonly sizeOctets: number } | No
  readonly commit:
    | {
        readonly kind: 'appended'
        readonly uidValidity: number
        readonly uids: readonly number[]
        /** As of a copy. */
        readonly untold?: true
      }
    | No
  readonly abandon: Done
}

export type Answer = Answers[keyof Answers]

/** What a server session may be told. */
export type ServerEvent =
  | { readonly kind: 'shutdown' }
  /** Policy has had enough of the client (BYE). */
  | { readonly kind: 'dismissed'; readonly why: string }
  /** Something happened in the open mailbox. */
  | { readonly kind: 'changed' }

/** What a listener allows; given to a session when it is made. */
export interface SessionSettings {
  readonly hostname: string
  readonly implementation: string
  readonly version: string
  /** Whether STARTTLS is offered on a connection in the clear. */
  readonly startTls: boolean
  /** True takes passwords without TLS too. Never so on a public address (RFC 8314 §4). */
  readonly plaintextAuth: boolean
  /** Names of SASL mechanisms offered, in order. */
  readonly mechanisms: readonly string[]
  /** The largest message taken by APPEND (RFC 7889). */
  readonly appendMaxOctets: number
  /** Messages one command may work on, and messages one COPY or APPEND may make (RFC 9738); 0 is no limit. */
  readonly messagesMax: number
  readonly savesMax: number
  readonly loginTimeoutMs: number
  /** RFC 9051 §5.4: at least 30 minutes after login. */
  readonly idleTimeoutMs: number
  /** BAD replies in a row before the connection is closed. */
  readonly errorsMax: number
  readonly loginFailuresMax: number
  /** So much of a literal must come within the time that a client has. Default 16384. */
  readonly contentStepOctets?: number
  /** For SASL nonces. */
  readonly chance: (octets: number) => Uint8Array
}
