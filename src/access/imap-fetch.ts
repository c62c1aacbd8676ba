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
import { type FolderMessage, folderMessages } from '../mailbox/change.ts'
import { changeFlags } from '../mailbox/flags.ts'
import { type ReadMessage, readMessages } from '../mailbox/reading.ts'
import type { ImapAccess } from './imap.ts'
import { MessageContent } from './imap-content.ts'
import { previewOf } from './imap-preview.ts'
import { isKept, Readings, SCANNER } from './imap-reading.ts'

type Access = Pick<ImapAccess, 'store' | 'world' | 'log'>

/** So many messages are opened at once: small bodies come along with them. */
const OPENED = 20

export async function fetchMessages(
  access: Access,
  { key, uids, wish, markSeen }: Extract<Question, { kind: 'fetch' }>,
): Promise<Answer> {
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
    const some = rows.slice(at, at + OPENED)
    const unknown = some.filter(row => !isKnown(row, wish)).map(({ uid }) => uid)
    const opened =
      unknown.length > 0 ? await MessageContent.ofSome(access, key, unknown) : undefined
    for (const row of some) {
      const facts = factsOf(row, marked.has(row.uid))
      const content = opened?.get(row.uid)
      if (content !== undefined) {
        messages.push({ ...facts, ...(await contentsOf(content, row, wish, readings)) })
      } else if (isKnown(row, wish)) messages.push({ ...facts, ...knownOf(row), sections: [] })
      // What was not opened, and is not known either, is gone meanwhile.
    }
  }
  readings.keep()
  return { kind: 'fetched', messages }
}

/** Rows of messages; where their envelope or structure is asked for, with what is kept of that. */
function rowsOf(
  { store }: Access,
  mailboxId: number,
  uids: readonly number[],
  { envelope, bodyStructure }: FetchWish,
): Promise<readonly (FolderMessage | ReadMessage)[]> {
  return envelope || bodyStructure
    ? store.read(readMessages, { mailboxId, uids, scanner: SCANNER })
    : store.read(folderMessages, { mailboxId, uids })
}

/** Whether all that is wished for is known without the message's octets. */
function isKnown(row: FolderMessage | ReadMessage, wish: FetchWish): boolean {
  if (wish.body || wish.preview || wish.sections.length > 0) return false
  return !(wish.envelope || wish.bodyStructure) || ('head' in row && isKept(row, wish.utf8))
}

function knownOf(row: FolderMessage | ReadMessage) {
  if (!('head' in row) || row.envelope === null || row.structure === null) return {}
  return { envelope: row.envelope, bodyStructure: row.structure }
}

function factsOf(row: FolderMessage, flagsChanged: boolean) {
  const { internalDate, savedAt, sizeOctets, messageId } = row
  const emailId = `M${messageId}`
  return { ...stateOf(row), flagsChanged, internalDate, savedAt, sizeOctets, emailId }
}

async function contentsOf(
  content: MessageContent,
  row: FolderMessage | ReadMessage,
  wish: FetchWish,
  readings: Readings,
) {
  const sections: SectionAnswer[] = []
  for (const section of wish.sections) sections.push(await content.section(section))
  const { utf8 } = wish
  return {
    ...(wish.preview ? { preview: await previewOf(content) } : {}),
    ...(wish.body ? { body: formatStructure(await content.structure(), false, utf8) } : {}),
    ...('head' in row ? await readings.of(content, row, utf8) : {}),
    sections,
  }
}

export function stateOf(row: {
  readonly uid: number
  readonly flags: string
  readonly modSeq: number
}): FlagState {
  return { uid: row.uid, flags: row.flags === '' ? [] : row.flags.split(' '), modSeq: row.modSeq }
}
