/** GETMETADATA and SETMETADATA (RFC 5464 §4.2, §4.3): notes at a mailbox, or at the server where its name is empty. */
import type { Cursor } from '../../cursor.ts'
import { formatMailboxName, readMailboxName } from '../../mailbox-name.ts'
import {
  chosen,
  type MetadataWish,
  readEntries,
  readEntry,
  readMetadataOptions,
  readValue,
  VALUE_MAX_OCTETS,
} from '../../metadata.ts'
import {
  accountOf,
  ask,
  bad,
  no,
  ok,
  type Result,
  type Running,
  refused,
  type Turn,
} from '../turn.ts'

/** `getmetadata = "GETMETADATA" [SP options] SP mailbox SP entries`; the examples of §4.2 have options behind the mailbox. */
export function* getMetadata(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  let options: Omit<MetadataWish, 'entries'> = { depth: '0' }
  const early = cursor.next === 0x28
  if (early) {
    options = readMetadataOptions(cursor)
    cursor.space()
  }
  const mailbox = readMailboxName(cursor, turn.enabled.utf8)
  cursor.space()
  if (!early && /^\((?:MAXSIZE|DEPTH) /i.test(cursor.ahead(9))) {
    options = readMetadataOptions(cursor)
    cursor.space()
  }
  const entries = readEntries(cursor, options.depth !== '0')
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const longest = yield* tellMetadata(turn, mailbox, { entries, ...options })
  if (typeof longest !== 'number') return longest
  // §4.2.1: what was too long is left out, and the client is told of the longest.
  if (longest > 0) return ok('some are too long', `METADATA LONGENTRIES ${longest}`)
  return ok('GETMETADATA completed')
}

/** Gives the size of the longest entry that was left out. */
export function* tellMetadata(
  turn: Turn,
  mailbox: string,
  wish: MetadataWish,
): Running<Result | number> {
  const answer = yield* ask<'metadata'>({ kind: 'metadata', account: accountOf(turn), mailbox })
  if (answer.kind === 'no') return refused(answer)
  const { told, longest } = chosen(answer.annotations, wish)
  const name = formatMailboxName(mailbox, turn.enabled.utf8)
  if (told !== '') turn.send(`* METADATA ${name} (${told})\r\n`)
  return longest
}

/** `setmetadata = "SETMETADATA" SP mailbox SP "(" entry SP value *(SP entry SP value) ")"`: all of them or none. */
export function* setMetadata(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const mailbox = readMailboxName(cursor, turn.enabled.utf8)
  cursor.space()
  const annotations = cursor.list(() => {
    const entry = readEntry(cursor)
    cursor.space()
    return { entry, value: readValue(cursor) }
  }, 100)
  if (annotations.length === 0) cursor.fail('an entry is wanted')
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  if (annotations.some(({ value = '' }) => value.length > VALUE_MAX_OCTETS)) {
    return no('the value is too long', `METADATA MAXSIZE ${VALUE_MAX_OCTETS}`)
  }
  const account = accountOf(turn)
  const answer = yield* ask<'annotate'>({ kind: 'annotate', account, mailbox, annotations })
  return answer.kind === 'no' ? refused(answer) : ok('SETMETADATA completed')
}
