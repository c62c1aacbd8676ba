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
import { messagesByUid, type StoredMessage } from '../mailbox/reader.ts'
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
type Row = FolderState | FolderMessage | StoredMessage | ReadMessage

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
  const rows = await rowsOf(access, key, uids, wish)
  const marked = markSeen ? await markedSeen(access, key, rows) : nobody
  const messages: FetchedMessage[] = []
  const readings = new Readings(access)
  for (let at = 0; at < rows.length; at += OPENED) {
    await breath.due()
    const some = rows.slice(at, at + OPENED)
    const opened = await openedOf(access, key, some, wish)
    for (const row of some) {
      const content = opened.get(row.uid)
      // What was found in it, a header of a megabyte perhaps, is not held while the others are looked at.
      opened.delete(row.uid)
      if (content === undefined && !isKnown(row, wish)) continue
      const message = told(row, marked.get(row.uid))
      const found = content && (await contentsOf(content, row, wish, readings))
      messages.push(found ? { ...message, ...found } : message)
    }
  }
  readings.keep()
  return { kind: 'fetched', messages }
}

const nobody: ReadonlyMap<number, FolderState> = new Map()

/** Sets \\Seen where it is not; those of the messages as they are then. */
async function markedSeen(
  { store }: Access,
  mailboxId: number,
  rows: readonly Row[],
): Promise<ReadonlyMap<number, FolderState>> {
  const uids = rows.filter(row => !row.flags.includes('\\Seen')).map(({ uid }) => uid)
  if (uids.length === 0) return nobody
  await store.write(changeFlags, { mailboxId, uids, mode: 'add', flags: ['\\Seen'] })
  const states = await store.read(folderStates, { mailboxId, uids })
  return new Map(states.map(state => [state.uid, state]))
}

/** The contents that are needed of some messages. What is not known of one and not opened here is gone meanwhile. */
async function openedOf(
  access: Access,
  mailboxId: number,
  rows: readonly Row[],
  wish: FetchWish,
): Promise<Map<number, MessageContent>> {
  const opened = new Map<number, MessageContent>()
  const unknown: number[] = []
  for (const row of rows) {
    if ('body' in row) opened.set(row.uid, MessageContent.ofStored(access, row))
    else if (!isKnown(row, wish)) unknown.push(row.uid)
  }
  return unknown.length > 0 ? MessageContent.ofSome(access, mailboxId, unknown) : opened
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
  wish: FetchWish,
): Promise<readonly Row[]> {
  const { envelope, bodyStructure, facts } = wish
  if (envelope || bodyStructure) {
    return store.read(readMessages, { mailboxId, uids, scanner: SCANNER })
  }
  if (opens(wish)) return store.read(messagesByUid, { mailboxId, uids })
  return store.read(facts ? folderMessages : folderStates, { mailboxId, uids })
}

/** Octets of each message are wished for. */
function opens({ body, preview, sections }: FetchWish): boolean {
  return body || preview || sections.length > 0
}

/** Whether all that is wished for is known without the message's octets. */
function isKnown(row: Row, wish: FetchWish): boolean {
  return (
    !opens(wish) &&
    (!(wish.envelope || wish.bodyStructure) || ('envelope' in row && isKept(row, wish.utf8)))
  )
}

const noSections: readonly SectionAnswer[] = []

/** What its row tells of a message. */
function told(row: Row, marked: FolderState | undefined): FetchedMessage {
  const state = { ...stateOf(marked ?? row), flagsChanged: marked !== undefined }
  if (!('internalDate' in row)) return { ...state, sections: noSections }
  const { internalDate, savedAt, sizeOctets, messageId } = row
  const facts = { internalDate, savedAt, sizeOctets, emailId: `M${messageId}` }
  if (!('envelope' in row) || !row.envelope || !row.structure) {
    return { ...state, facts, sections: noSections }
  }
  const { envelope, structure: bodyStructure } = row
  return { ...state, facts, envelope, bodyStructure, sections: noSections }
}

async function contentsOf(content: MessageContent, row: Row, wish: FetchWish, readings: Readings) {
  const sections: SectionAnswer[] = []
  const { utf8 } = wish
  let downgraded = false
  for (const section of wish.sections) {
    const plain = utf8 ? undefined : await plainSection(content, section)
    downgraded ||= plain !== undefined
    sections.push(plain ?? (await content.section(section)))
  }
  const read = 'envelope' in row ? await readings.of(content, row, utf8) : undefined
  return {
    ...(wish.preview ? { preview: await previewOf(content) } : {}),
    ...(wish.body ? { body: formatStructure(await content.structure(), false, utf8) } : {}),
    ...(read && { envelope: read.envelope, bodyStructure: read.bodyStructure }),
    ...((downgraded || read?.downgraded) && ({ downgraded: true } as const)),
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
