/** What FETCH asks (RFC 9051 §6.4.5), for one slice of messages; content is opened only where it is asked for. */

import type {
  Answer,
  FetchedMessage,
  FetchWish,
  FlagState,
  Question,
  SectionAnswer,
} from '../imap/server/question.ts'
import { formatStructure } from '../imap/structure.ts'
import {
  type FolderMessage,
  type FolderState,
  folderMessages,
  folderStates,
} from '../mailbox/change.ts'
import { changeFlags } from '../mailbox/flags.ts'
import { type ReadMessage, readMessages } from '../mailbox/reading.ts'
import type { Breath } from '../world/breath.ts'
import { plainSection } from './downgrade.ts'
import type { ImapAccess } from './imap.ts'
import { MessageContent } from './imap-content.ts'
import { previewOf } from './imap-preview.ts'
import { isKept, Readings, SCANNER } from './imap-reading.ts'
import { rollsOf } from './rolls.ts'

type Access = Pick<ImapAccess, 'store' | 'world' | 'log'>

/** As much of a message's row as was asked for. */
type Row = FolderState | FolderMessage | ReadMessage

/** So many messages are opened at once: small bodies come along with them. */
const OPENED = 20

export async function fetchMessages(
  access: Access,
  { key, uids, wish, markSeen }: Extract<Question, { kind: 'fetch' }>,
  breath: Breath,
): Promise<Answer> {
  if (isPlain(wish)) {
    const states = await statesOf(access, key, uids)
    if (states !== undefined) return { kind: 'states', states }
  }
  let rows = await rowsOf(access, key, uids, wish)
  const unseen = markSeen ? rows.filter(row => !row.flags.includes('\\Seen')) : []
  const marked = new Set(unseen.map(({ uid }) => uid))
  if (marked.size > 0) {
    const flags = { mode: 'add', flags: ['\\Seen'] } as const
    await access.store.write(changeFlags, { mailboxId: key, uids: [...marked], ...flags })
    rows = await rowsOf(access, key, uids, wish)
  }
  const messages: FetchedMessage[] = []
  const readings = new Readings(access)
  for (let at = 0; at < rows.length; at += OPENED) {
    await breath.due()
    const some = rows.slice(at, at + OPENED)
    const unknown = new Set(some.flatMap(row => (isKnown(row, wish) ? [] : row.uid)))
    const opened =
      unknown.size > 0 ? await MessageContent.ofSome(access, key, [...unknown]) : undefined
    for (const row of some) {
      const message = told(row, marked.has(row.uid))
      const content = opened?.get(row.uid)
      if (content !== undefined) {
        messages.push({ ...message, ...(await contentsOf(content, row, wish, readings)) })
      } else if (!unknown.has(row.uid)) messages.push(message)
      // What was not opened, and is not known either, is gone meanwhile.
    }
  }
  readings.keep()
  return { kind: 'fetched', messages }
}

/** Nothing but flags is wished for. */
function isPlain({ envelope, body, bodyStructure, facts, preview, sections }: FetchWish): boolean {
  return !(envelope || body || bodyStructure || facts || preview || sections.length > 0)
}

/** From the mailbox's roll; undefined where its rows are to be asked. */
async function statesOf(access: Access, mailboxId: number, uids: readonly number[]) {
  const roll = await rollsOf(access).now(mailboxId, Number.POSITIVE_INFINITY, uids.length)
  return roll?.whole ? roll.some(uids) : undefined
}

/** Rows of messages; where their envelope or structure is asked for, with what is kept of that. */
function rowsOf(
  { store }: Access,
  mailboxId: number,
  uids: readonly number[],
  { envelope, bodyStructure, facts }: FetchWish,
): Promise<readonly Row[]> {
  if (envelope || bodyStructure) {
    return store.read(readMessages, { mailboxId, uids, scanner: SCANNER })
  }
  return store.read(facts ? folderMessages : folderStates, { mailboxId, uids })
}

/** Whether all that is wished for is known without the message's octets. */
function isKnown(row: Row, wish: FetchWish): boolean {
  if (wish.body || wish.preview || wish.sections.length > 0) return false
  return !(wish.envelope || wish.bodyStructure) || ('head' in row && isKept(row, wish.utf8))
}

const noSections: readonly SectionAnswer[] = []

/** What its row tells of a message. */
function told(row: Row, flagsChanged: boolean): FetchedMessage {
  const state = { uid: row.uid, flags: wordsOf(row.flags), modSeq: row.modSeq, flagsChanged }
  if (!('internalDate' in row)) return { ...state, sections: noSections }
  const { internalDate, savedAt, sizeOctets, messageId } = row
  const facts = { internalDate, savedAt, sizeOctets, emailId: `M${messageId}` }
  if (!('head' in row) || !row.envelope || !row.structure) {
    return { ...state, facts, sections: noSections }
  }
  const { envelope, structure: bodyStructure } = row
  return { ...state, facts, envelope, bodyStructure, sections: noSections }
}

async function contentsOf(content: MessageContent, row: Row, wish: FetchWish, readings: Readings) {
  const sections: SectionAnswer[] = []
  const { utf8 } = wish
  for (const section of wish.sections) {
    const plain = utf8 ? undefined : await plainSection(content, section)
    sections.push(plain ?? (await content.section(section)))
  }
  return {
    ...(wish.preview ? { preview: await previewOf(content) } : {}),
    ...(wish.body ? { body: formatStructure(await content.structure(), false, utf8) } : {}),
    ...('head' in row ? await readings.of(content, row, utf8) : {}),
    sections,
  }
}

export function stateOf({ uid, flags, modSeq }: FolderState): FlagState {
  return { uid, flags: wordsOf(flags), modSeq }
}

/** Most messages have one of a few sets of flags, and a mailbox has many messages. */
const words = new Map<string, readonly string[]>([['', []]])
const WORDS_MAX = 200

function wordsOf(flags: string): readonly string[] {
  const known = words.get(flags)
  if (known !== undefined) return known
  const split = flags.split(' ')
  if (words.size < WORDS_MAX) words.set(flags, split)
  return split
}
