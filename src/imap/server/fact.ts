/**
 * What policy tells of mailboxes and messages, and what is wished for of them: the nouns of question.ts, which gives
 * them on under its own name.
 */
import type { Source } from '../../wire/effect.ts'
import type { Partial, Section } from '../fetch-item.ts'

/** A name that LIST tells (RFC 9051 §7.3.1). A subscribed name need not exist. */
export interface ListedMailbox {
  readonly name: string
  readonly exists: boolean
  readonly subscribed: boolean
  /** `\Drafts` and so on (RFC 6154). */
  readonly specialUse: readonly string[]
}

export interface MailboxStatus {
  readonly messages: number
  readonly uidNext: number
  readonly uidValidity: number
  readonly unseen: number
  readonly deleted: number
  /** Of messages with \Deleted; 0 where it was not asked for. */
  readonly deletedOctets: number
  /** Messages that no session was told of (RFC 3501 §6.3.10); 0 where it was not asked for. */
  readonly recent: number
  readonly sizeOctets: number
  readonly highestModSeq: number
  /** MAILBOXID (RFC 8474). */
  readonly mailboxId: string
}

/** A mailbox as NOTIFY watches it (RFC 5465). */
export interface WatchedMailbox {
  readonly mailboxId: string
  readonly name: string
  readonly subscribed: boolean
  readonly messages: number
  readonly unseen: number
  readonly uidNext: number
  readonly uidValidity: number
  readonly highestModSeq: number
}

/** What one quota root says (RFC 9208 §3): STORAGE in units of 1024 octets. */
export interface Quota {
  readonly root: string
  readonly resources: readonly {
    readonly name: 'STORAGE' | 'MESSAGE'
    readonly used: number
    readonly limit: number
  }[]
}

/** A mailbox as it is opened. Arrays of numbers: it may hold 100,000s of messages. */
export interface OpenedMailbox {
  /** The store's key: names change, this does not. */
  readonly key: number
  readonly mailboxId: string
  readonly uidValidity: number
  readonly uidNext: number
  readonly highestModSeq: number
  /** Ascending. */
  readonly uids: ArrayLike<number>
  /** Keywords in use in it. */
  readonly keywords: readonly string[]
  /** It takes no further ones. */
  readonly keywordsFull?: true
  readonly readOnly: boolean
  /** What who opened it may do there (RFC 4314); absent is all. */
  readonly rights?: string
  /** The UID of the first message without \Seen, for RFC 3501's UNSEEN. */
  readonly firstUnseenUid?: number
  /** This session is the first to be told of the messages from this UID on (RFC 3501 §2.3.2); absent: of none. */
  readonly recentFrom?: number
}

/** Flags of a message and when they changed. */
export interface FlagState {
  readonly uid: number
  readonly flags: readonly string[]
  readonly modSeq: number
}

/** The same of many messages, ascending by UID: of the n-th the flags are `sets[setOf[n]]`. */
export interface StateTable {
  readonly uids: ArrayLike<number>
  readonly modSeqs: ArrayLike<number>
  readonly setOf: ArrayLike<number>
  /** Flags as they are told, a space between. */
  readonly sets: readonly string[]
}

/** What happened in a mailbox after a mod-sequence. */
export interface Changes {
  readonly highestModSeq: number
  readonly uidNext: number
  /** New messages and changed flags, by UID ascending; which are new the view knows. */
  readonly present: readonly FlagState[]
  /** UIDs expunged, ascending. */
  readonly vanished: readonly number[]
  /** As in `OpenedMailbox`, of what is new. */
  readonly recentFrom?: number
  /** Of what vanished so early nothing is known any more: all that is not there may have. */
  readonly forgotten?: boolean
  /** This is a part of it: the rest happened since these numbers. */
  readonly more?: boolean
}

/** What of a message a FETCH wants. */
export interface FetchWish {
  readonly envelope: boolean
  readonly body: boolean
  readonly bodyStructure: boolean
  /** INTERNALDATE, SAVEDATE, RFC822.SIZE, EMAILID. */
  readonly facts: boolean
  /** Whether what is told may be UTF-8 (RFC 6855): it says how texts are to be written. */
  readonly utf8: boolean
  readonly preview: boolean
  readonly sections: readonly SectionWish[]
}

export interface SectionWish {
  readonly section: Section
  readonly partial?: Partial
  /** 'binary' undoes the transfer encoding (RFC 3516), 'binary size' only counts what that gives. */
  readonly as: 'octets' | 'binary' | 'binary size'
}

/** Octets of known size; a stream yields exactly so many. `absent` is NIL. */
export type SectionAnswer =
  | {
      readonly kind: 'octets'
      readonly sizeOctets: number
      readonly content: Source
      /** Somebody has looked, and none of them is NUL. */
      readonly noNul?: true
    }
  | { readonly kind: 'absent' }
  /** RFC 3516 §4.3: an encoding nobody knows: NO [UNKNOWN-CTE]. */
  | { readonly kind: 'unknown encoding' }

export interface FetchedMessage extends FlagState {
  /** \Seen was set by this very question. */
  readonly flagsChanged: boolean
  /** Something of it is told otherwise than it stands there, for who reads no UTF-8 (RFC 6858). */
  readonly downgraded?: true
  readonly facts?: MessageFacts
  /** As they are told: imap/structure.ts writes them, and policy may keep what was written. */
  readonly envelope?: string
  readonly body?: string
  readonly bodyStructure?: string
  readonly preview?: string
  /** One for each section wished for, in order. */
  readonly sections: readonly SectionAnswer[]
}

export interface MessageFacts {
  readonly internalDate: number
  readonly savedAt: number
  readonly sizeOctets: number
  readonly emailId: string
  readonly threadId?: string
}

export type StoreMode = 'set' | 'add' | 'remove'

/** One message of an APPEND whose octets follow by `content`. */
export interface AppendMessage {
  readonly mailbox: string
  readonly flags: readonly string[]
  readonly internalDate?: number
  readonly sizeOctets: number
  /** Another message goes for it (REPLACE). */
  readonly replacing?: true
}
