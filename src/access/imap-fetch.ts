/** What FETCH asks (RFC 9051 §6.4.5), for one slice of messages; content is opened only where it is asked for. */
import type {
  Answer,
  FetchedMessage,
  FetchWish,
  FlagState,
  Question,
  SectionAnswer,
} from '../imap/server/question.ts'
import { type FolderMessage, folderMessages } from '../mailbox/change.ts'
import { changeFlags } from '../mailbox/flags.ts'
import { envelopeOf } from '../message/envelope.ts'
import type { ImapAccess } from './imap.ts'
import { MessageContent } from './imap-content.ts'
import { previewOf } from './imap-preview.ts'

type Access = Pick<ImapAccess, 'store' | 'world'>

export async function fetchMessages(
  access: Access,
  { key, uids, wish, markSeen }: Extract<Question, { kind: 'fetch' }>,
): Promise<Answer> {
  const slice = { mailboxId: key, uids }
  let rows = await access.store.read(folderMessages, slice)
  const unseen = markSeen ? rows.filter(row => !row.flags.includes('\\Seen')) : []
  const marked = new Set(unseen.map(({ uid }) => uid))
  if (marked.size > 0) {
    const flags = { mode: 'add', flags: ['\\Seen'] } as const
    await access.store.write(changeFlags, { mailboxId: key, uids: [...marked], ...flags })
    rows = await access.store.read(folderMessages, slice)
  }
  const messages: FetchedMessage[] = []
  for (const row of rows) {
    const message = await fetched(access, key, row, wish, marked.has(row.uid))
    if (message !== undefined) messages.push(message)
  }
  return { kind: 'fetched', messages }
}

/** Undefined where it is gone meanwhile. */
async function fetched(
  access: Access,
  key: number,
  row: FolderMessage,
  wish: FetchWish,
  flagsChanged: boolean,
): Promise<FetchedMessage | undefined> {
  const { internalDate, sizeOctets, messageId } = row
  const facts = {
    ...stateOf(row),
    flagsChanged,
    internalDate,
    savedAt: row.savedAt,
    sizeOctets,
    emailId: `M${messageId}`,
  }
  const { envelope, structure, preview } = wish
  if (!envelope && !structure && !preview && wish.sections.length === 0) {
    return { ...facts, sections: [] }
  }
  const content = await MessageContent.of(access, key, row.uid)
  if (content === undefined) return undefined
  const sections: SectionAnswer[] = []
  for (const section of wish.sections) sections.push(await content.section(section))
  return {
    ...facts,
    ...(preview ? { preview: await previewOf(content) } : {}),
    ...(wish.envelope ? { envelope: envelopeOf(await content.header()) } : {}),
    ...(wish.structure ? { structure: await content.structure() } : {}),
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
