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
import { type HeadedMessage, headedMessages, type Reading } from '../mailbox/reading.ts'
import { type Header, scanHeader } from '../message/header.ts'
import { type ThreadFacts, threadFactsOf } from '../message/thread.ts'
import { farReader } from '../store/store.ts'
import type { Read } from '../world/sql.ts'
import { Heading } from './heading.ts'
import { MessageContent } from './imap-content.ts'
import { foundHeading, headingIn, SCANNER } from './imap-reading.ts'
import { asksHeading, Candidate, likelyOf, type OpenMessage } from './search-match.ts'

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

interface Reached {
  /** So many of the UIDs were decided: who opens many messages ends early. */
  readonly reached: number
  readonly opened: number
  /** Messages that must be looked at where their bodies are. */
  readonly elsewhere: readonly number[]
  /** What is to be kept of those that were opened. */
  readonly read: readonly Reading[]
}

export interface SliceFound extends Reached {
  readonly uids: readonly number[]
  readonly modSeqs: readonly number[]
}

/** So many messages are opened for one answer: some milliseconds of a thread, on PostgreSQL of the only one. */
const OPENED_MAX = 100
/** So many rows are read for one answer where none has to be opened; fewer where each is looked at closely. */
const ROWS_MAX = 2_000
const FACTS_MAX = 500

/** How many are asked for behind an answer that opened so many; at first as many as where none was. */
export function sliceBehind(of: 'rows' | 'facts', opened = 0): number {
  if (opened > 0) return OPENED_MAX
  return of === 'rows' ? ROWS_MAX : FACTS_MAX
}

export const searchSlice = farReader(
  'access.searchSlice',
  async (tx, slice: SearchSlice): Promise<SliceFound> => {
    const { mailboxId, key, uids, before } = slice
    const rows = await rowsOf(tx, slice)
    const numbers =
      rows.length > 0 ? new Map(uids.map((uid, n) => [uid, before + n + 1])) : new Map()
    const context = { ...slice, gone: () => false, saved: new Set(slice.saved), sets: new Map() }
    const found: FolderMessage[] = []
    const [elsewhere, read]: [number[], Reading[]] = [[], []]
    let opened = 0
    for (const row of rows) {
      if (opened === OPENED_MAX) {
        const reached = uids.indexOf(row.uid)
        return { reached, opened, ...told(found), elsewhere, read }
      }
      const number = numbers.get(row.uid) ?? 0
      const heading = 'heading' in row ? headingIn(row) : undefined
      const open: OpenMessage = () => openedHere(tx, mailboxId, row.uid)
      const candidate = new Candidate(context, { row, number, heading, open })
      const matches = await candidate.matches(key)
      if (candidate.elsewhere) elsewhere.push(row.uid)
      else if (matches) found.push(row)
      if (candidate.opened) opened++
      if (candidate.header && 'heading' in row && heading === undefined) {
        read.push(...foundHeading(row, candidate.header))
      }
    }
    return { reached: uids.length, opened, ...told(found), elsewhere, read }
  },
)

/** Rows with their headings where those are asked; only of such as may match. */
function rowsOf(
  tx: Read,
  { mailboxId, uids, key }: SearchSlice,
): Promise<(FolderMessage | HeadedMessage)[]> {
  if (!asksHeading(key)) return messagesOf(tx, { mailboxId, uids })
  return headedMessages(tx, { mailboxId, uids, scanner: SCANNER }, likelyOf(key))
}

function told(found: readonly FolderMessage[]): Pick<SliceFound, 'uids' | 'modSeqs'> {
  return { uids: found.map(({ uid }) => uid), modSeqs: found.map(({ modSeq }) => modSeq) }
}

/** What SORT or THREAD looks at of some messages. */
export const factsSlice = farReader(
  'access.factsSlice',
  async (
    tx,
    { mailboxId, uids, of }: FactsQuestion,
  ): Promise<Reached & { readonly facts: readonly MessageFacts[] }> => {
    const facts: MessageFacts[] = []
    const [elsewhere, read]: [number[], Reading[]] = [[], []]
    if (of === 'row') {
      for (const row of await messagesOf(tx, { mailboxId, uids }))
        facts.push(factsOf(row, none, of))
      return { reached: uids.length, opened: 0, facts, elsewhere, read }
    }
    let opened = 0
    for (const row of await headedMessages(tx, { mailboxId, uids, scanner: SCANNER })) {
      const heading = headingIn(row)
      if (heading !== undefined) {
        facts.push(factsOf(row, heading, of))
        continue
      }
      if (opened === OPENED_MAX) {
        return { reached: uids.indexOf(row.uid), opened, facts, elsewhere, read }
      }
      opened++
      const content = await openedHere(tx, mailboxId, row.uid)
      if (content === 'elsewhere') elsewhere.push(row.uid)
      else if (content !== undefined) {
        const header = await content.header()
        facts.push(factsOf(row, header, of))
        read.push(...foundHeading(row, header))
      }
    }
    return { reached: uids.length, opened, facts, elsewhere, read }
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

export function factsOf(
  row: FolderMessage,
  of: Header | Heading,
  wanted: FactsQuestion['of'],
): MessageFacts {
  const { uid, modSeq, internalDate } = row
  const kept = of instanceof Heading
  if (wanted !== 'thread') {
    return { uid, modSeq, sort: kept ? of.sortFacts(row) : sortFactsOf(row, of) }
  }
  const thread = kept ? of.threadFacts(uid, internalDate) : threadFactsOf(uid, of, internalDate)
  return { uid, modSeq, thread }
}

async function openedHere(
  tx: Read,
  mailboxId: number,
  uid: number,
): Promise<MessageContent | 'elsewhere' | undefined> {
  const message = await wholeMessage(tx, { mailboxId, uid })
  if (message === undefined) return undefined
  if (message.whole === undefined) return 'elsewhere'
  return new MessageContent(new MessageOctets(message))
}
