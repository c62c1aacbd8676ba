/** SORT and THREAD (RFC 5256): the messages a search finds, ordered by what their headers say. */
import type { Answer, Question, SearchQuestion } from '../imap/server/question.ts'
import { sortedUids } from '../imap/sort.ts'
import { type Reading, readMessages } from '../mailbox/reading.ts'
import { threading } from '../message/thread.ts'
import { breathOf, rested } from '../world/breath.ts'
import type { ImapAccess } from './imap.ts'
import { MessageContent } from './imap-content.ts'
import { foundHeading, keepFound, SCANNER } from './imap-reading.ts'
import { type Gone, searchMessages } from './imap-search.ts'
import {
  type FactsQuestion,
  factsOf,
  factsSlice,
  type MessageFacts,
  sliceBehind,
} from './search-reader.ts'

type Access = Pick<ImapAccess, 'store' | 'world' | 'log'>

export async function sortMessages(
  access: Access,
  { key, search, criteria }: Extract<Question, { kind: 'sort' }>,
  gone: Gone,
): Promise<Answer> {
  const byRow = criteria.every(each => each.key === 'ARRIVAL' || each.key === 'SIZE')
  const facts = await gathered(access, { key, search, of: byRow ? 'row' : 'sort' }, gone)
  if (!Array.isArray(facts)) return facts
  const modSeqs = new Map(facts.map(({ uid, modSeq }) => [uid, modSeq]))
  const sorting = sortedUids(
    facts.flatMap(({ sort }) => sort ?? []),
    criteria,
  )
  const uids = await rested(sorting, breathOf(access.world.clock))
  return { kind: 'sorted', uids, modSeqs: uids.map(uid => modSeqs.get(uid) ?? 0) }
}

export async function threadMessages(
  access: Access,
  { key, search, algorithm }: Extract<Question, { kind: 'thread' }>,
  gone: Gone,
): Promise<Answer> {
  const facts = await gathered(access, { key, search, of: 'thread' }, gone)
  if (!Array.isArray(facts)) return facts
  const work = threading(
    facts.flatMap(({ thread }) => thread ?? []),
    algorithm,
  )
  const threads = await rested(work, breathOf(access.world.clock))
  return { kind: 'threaded', threads }
}

interface Gathering extends Pick<FactsQuestion, 'of'> {
  readonly key: number
  readonly search: SearchQuestion
}

/** Of every message found what the order looks at, by UID; or why not. */
async function gathered(
  access: Access,
  { key, search, of }: Gathering,
  gone: Gone,
): Promise<MessageFacts[] | Answer> {
  const answer = await searchMessages(access, { key, search }, gone)
  if (answer.kind !== 'found') return answer
  const facts: MessageFacts[] = []
  const breath = breathOf(access.world.clock)
  let size = sliceBehind('facts')
  for (let at = 0; at < answer.uids.length && !gone(); ) {
    await breath.due()
    const uids = answer.uids.slice(at, at + size)
    const told = await access.store.read(factsSlice, { mailboxId: key, uids, of })
    keepFound(access, told.read)
    at += told.reached
    size = sliceBehind('facts', told.opened)
    facts.push(...told.facts)
    if (told.elsewhere.length === 0) continue
    // Their bodies, and with them their headers, are not in the database.
    const large = { mailboxId: key, uids: told.elsewhere, scanner: SCANNER }
    const read: Reading[] = []
    for (const row of await access.store.read(readMessages, large)) {
      if (gone()) break
      const header = await (await MessageContent.of(access, key, row.uid))?.header()
      if (header === undefined) continue
      facts.push(factsOf(row, header, of))
      read.push(...foundHeading(row, header))
    }
    keepFound(access, read)
  }
  return facts.sort((a, b) => a.uid - b.uid)
}
