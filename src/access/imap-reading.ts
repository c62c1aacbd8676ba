/**
 * ENVELOPE and BODYSTRUCTURE, from what is kept of a body (mailbox/reading.ts) or from its octets, which are then
 * looked at for the last time. Kept is how a client without UTF-8 is told; that is the same for one with
 * it wherever it is ASCII, as it nearly always is.
 */
import { formatEnvelope, formatStructure } from '../imap/structure.ts'
import { keepReadings, type Reading, type ReadMessage } from '../mailbox/reading.ts'
import { envelopeOf } from '../message/envelope.ts'
import type { ImapAccess } from './imap.ts'
import type { MessageContent } from './imap-content.ts'

/**
 * What finds and writes them has a version: raise it with every change of what is told for the same octets
 * (message/structure-scan.ts, message/envelope.ts, message/header.ts, imap/structure.ts).
 */
export const SCANNER = 2

/** Longer ones are found anew each time. */
const KEPT_MAX_CHARS = 65_536

/** What we put in front of a body seldom has a field of the envelope: a date, an id, a sender that was missing. */
const ENVELOPE_FIELD =
  /^(?:date|subject|from|sender|reply-to|to|cc|bcc|in-reply-to|message-id)[ \t]*:/im

function hasOwnFields(head: Uint8Array): boolean {
  return ENVELOPE_FIELD.test(
    Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1'),
  )
}

/** Whether what is kept is what is to be told. */
export function isKept(row: ReadMessage, utf8: boolean): boolean {
  if (row.envelope === null || row.structure === null || hasOwnFields(row.head)) return false
  return !utf8 || (isAscii(row.envelope) && isAscii(row.structure))
}

function isAscii(text: string): boolean {
  return /^[\x00-\x7f]*$/.test(text)
}

/** What one answer finds out, kept when it is complete. */
export class Readings {
  readonly #access: Pick<ImapAccess, 'store' | 'log'>
  readonly #found: (Reading & { readonly bodyId: number })[] = []

  constructor(access: Pick<ImapAccess, 'store' | 'log'>) {
    this.#access = access
  }

  async of(content: MessageContent, row: ReadMessage, utf8: boolean) {
    const { envelope, structure } = row
    if (isKept(row, utf8)) return { envelope: envelope ?? '', bodyStructure: structure ?? '' }
    const known = envelopeOf(await content.header())
    const root = await content.structure()
    const told = {
      envelope: formatEnvelope(known, utf8),
      bodyStructure: formatStructure(root, true, utf8),
    }
    if (structure === null && !hasOwnFields(row.head)) {
      const kept = utf8
        ? {
            envelope: formatEnvelope(known, false),
            bodyStructure: formatStructure(root, true, false),
          }
        : told
      this.#note(row.bodyId, { envelope: kept.envelope, structure: kept.bodyStructure })
    }
    return told
  }

  /** Nobody waits for it, and nothing is lost where it fails. */
  keep(): void {
    if (this.#found.length === 0) return
    const { store, log } = this.#access
    store
      .write(keepReadings, { scanner: SCANNER, found: this.#found })
      .catch((error: unknown) => log.debug('imap.readings', { error: String(error) }))
  }

  #note(bodyId: number, reading: Reading): void {
    const { envelope, structure } = reading
    if (envelope.length + structure.length > KEPT_MAX_CHARS) return
    // PostgreSQL keeps no NUL in a text.
    if (envelope.includes('\0') || structure.includes('\0')) return
    this.#found.push({ bodyId, ...reading })
  }
}
