/**
 * SEARCH, SORT and THREAD where the messages are: on a reader's thread, a slice of a mailbox at a time, so that none
 * of them stands in the way of a session; on PostgreSQL here, between the answers of the database. Called by
 * imap-search.ts and imap-sort.ts.
 */
import type { SearchKey } from '../imap/search-key.ts'
import { type SortFacts, sortFactsOf } from '../imap/sort.ts'
import { type FolderMessage, messagesOf } from '../mailbox/change.ts'
import { MessageOctets } from '../mailbox/octets.ts'
import { wholeMessage } from '../mailbox/reader.ts'
import { type Header, scanHeader } from '../message/header.ts'
import { type ThreadFacts, threadFactsOf } from '../message/thread.ts'
import { farReader } from '../store/store.ts'
import type { Read } from '../world/sql.ts'
import { MessageContent } from './imap-content.ts'
import { Candidate, type OpenMessage } from './search-match.ts'

export interface SearchSlice {
  readonly mailboxId: number
  readonly uids: readonly number[]
  /** Messages of the client's view before these. */
  readonly before: number
  readonly key: SearchKey
  readonly nowMs: number
  /** UIDs that an earlier search has saved. */
  readonly saved: readonly number[]
  readonly largestUid: number
  readonly exists: number
}

export interface SliceFound {
  readonly uids: readonly number[]
  readonly modSeqs: readonly number[]
  /** Messages that must be looked at where their bodies are. */
  readonly elsewhere: readonly number[]
}

export const searchSlice = farReader(
  'access.searchSlice',
  async (tx, slice: SearchSlice): Promise<SliceFound> => {
    const { mailboxId, key, uids, before } = slice
    const rows = await messagesOf(tx, { mailboxId, uids })
    const numbers = new Map(uids.map((uid, n) => [uid, before + n + 1]))
    const context = { ...slice, gone: () => false, saved: new Set(slice.saved), sets: new Map() }
    const found: FolderMessage[] = []
    const elsewhere: number[] = []
    for (const row of rows) {
      const open: OpenMessage = () => opened(tx, mailboxId, row.uid)
      const candidate = new Candidate(context, row, numbers.get(row.uid) ?? 0, open)
      const matches = await candidate.matches(key)
      if (candidate.elsewhere) elsewhere.push(row.uid)
      else if (matches) found.push(row)
    }
    return {
      uids: found.map(({ uid }) => uid),
      modSeqs: found.map(({ modSeq }) => modSeq),
      elsewhere,
    }
  },
)

/** What SORT or THREAD looks at of some messages. */
export const factsSlice = farReader(
  'access.factsSlice',
  async (
    tx,
    { mailboxId, uids, of }: FactsQuestion,
  ): Promise<{
    readonly facts: readonly MessageFacts[]
    readonly elsewhere: readonly number[]
  }> => {
    const facts: MessageFacts[] = []
    const elsewhere: number[] = []
    for (const row of await messagesOf(tx, { mailboxId, uids })) {
      const content = of === 'row' ? undefined : await opened(tx, mailboxId, row.uid)
      if (content === 'elsewhere') elsewhere.push(row.uid)
      else if (content !== undefined) facts.push(factsOf(row, await content.header(), of))
      else if (of === 'row') facts.push(factsOf(row, none, of))
    }
    return { facts, elsewhere }
  },
)

export interface FactsQuestion {
  readonly mailboxId: number
  readonly uids: readonly number[]
  /** 'row': the order asks for nothing of the header. */
  readonly of: 'row' | 'sort' | 'thread'
}

export interface MessageFacts {
  readonly uid: number
  readonly modSeq: number
  readonly sort?: SortFacts
  readonly thread?: ThreadFacts
}

/** What stands for the header of a message where the order asks for nothing of it. */
const none = scanHeader(new Uint8Array(0))

export function factsOf(row: FolderMessage, header: Header, of: FactsQuestion['of']): MessageFacts {
  const { uid, modSeq, internalDate } = row
  return of === 'thread'
    ? { uid, modSeq, thread: threadFactsOf(uid, header, internalDate) }
    : { uid, modSeq, sort: sortFactsOf(row, header) }
}

async function opened(
  tx: Read,
  mailboxId: number,
  uid: number,
): Promise<MessageContent | 'elsewhere' | undefined> {
  const message = await wholeMessage(tx, { mailboxId, uid })
  if (message === undefined) return undefined
  if (message.body.octets === undefined) return 'elsewhere'
  return new MessageContent(new MessageOctets(message))
}
