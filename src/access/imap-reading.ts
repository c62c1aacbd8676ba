/**
 * ENVELOPE, BODYSTRUCTURE and the heading, from what is kept of a body (mailbox/reading.ts) or from its octets, which are then
 * looked at for the last time. Kept is how a client with UTF-8 is told; that is the same for one without
 * it wherever it is ASCII, as it nearly always is.
 */
import { formatEnvelope, formatStructure } from '../imap/structure.ts'
import {
  type HeadedMessage,
  keepReadings,
  type Reading,
  type ReadMessage,
} from '../mailbox/reading.ts'
import { envelopeOf } from '../message/envelope.ts'
import type { Header } from '../message/header.ts'
import { Heading, headingOf } from './heading.ts'
import type { ImapAccess } from './imap.ts'
import type { MessageContent } from './imap-content.ts'

/**
 * What finds and writes them has a version: raise it with every change of what is told for the same octets
 * (message/structure-scan.ts, message/envelope.ts, message/header.ts, imap/structure.ts, heading.ts).
 */
export const SCANNER = 5

/** Longer ones are found anew each time. */
const KEPT_MAX_CHARS = 65_536

/** What we put in front of a body seldom has a field that is kept: a date, an id, a sender that was missing. */
const KEPT_FIELD =
  /^(?:date|subject|from|sender|reply-to|to|cc|bcc|in-reply-to|message-id|references)[ \t]*:/im

function hasOwnFields(head: Uint8Array): boolean {
  return KEPT_FIELD.test(Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1'))
}

/** Whether what is kept is what is to be told. */
export function isKept(row: ReadMessage, utf8: boolean): boolean {
  if (!row.envelope || !row.structure || hasOwnFields(row.head)) return false
  return utf8 || (isAscii(row.envelope) && isAscii(row.structure))
}

function isAscii(text: string): boolean {
  return /^[\x00-\x7f]*$/.test(text)
}

/** What is known of a message's heading: one that is not kept is undefined. */
export function headingIn({ heading, head }: HeadedMessage): Heading | undefined {
  return heading && !hasOwnFields(head) ? new Heading(heading) : undefined
}

/** What was found in the header of a message whose heading was not kept, to be kept; nothing where it cannot be. */
export function foundHeading(
  { bodyId, head }: Pick<HeadedMessage, 'bodyId' | 'head'>,
  header: Header,
): readonly Reading[] {
  const heading = hasOwnFields(head) ? '' : headingOf(header)
  return heading === '' ? [] : [{ bodyId, envelope: '', structure: '', heading }]
}

/** Keeps what was found. Nobody waits for it, and nothing is lost where it fails. */
export function keepFound({ store, log }: Keeping, found: readonly Reading[]): void {
  if (found.length === 0) return
  store
    .write(keepReadings, { scanner: SCANNER, found })
    .catch((error: unknown) => log.debug('imap.readings', { error: String(error) }))
}

type Keeping = Pick<ImapAccess, 'store' | 'log'>

/** What one answer finds out, kept when it is complete. */
export class Readings {
  readonly #access: Keeping
  readonly #found: Reading[] = []

  constructor(access: Keeping) {
    this.#access = access
  }

  async of(content: MessageContent, row: ReadMessage, utf8: boolean) {
    const { envelope, structure } = row
    if (isKept(row, utf8)) {
      return { envelope: envelope ?? '', bodyStructure: structure ?? '', downgraded: false }
    }
    const header = await content.header()
    const known = envelopeOf(header)
    const root = await content.structure()
    const whole = {
      envelope: formatEnvelope(known, true),
      bodyStructure: formatStructure(root, true, true),
    }
    if (!structure && !hasOwnFields(row.head)) {
      this.#note({
        bodyId: row.bodyId,
        envelope: whole.envelope,
        structure: whole.bodyStructure,
        heading: headingOf(header),
      })
    }
    const downgraded = !utf8 && !(isAscii(whole.envelope) && isAscii(whole.bodyStructure))
    if (!downgraded) return { ...whole, downgraded }
    return {
      envelope: formatEnvelope(known, false),
      bodyStructure: formatStructure(root, true, false),
      downgraded,
    }
  }

  keep(): void {
    keepFound(this.#access, this.#found)
  }

  #note(reading: Reading): void {
    const { envelope, structure } = reading
    if (envelope.length + structure.length > KEPT_MAX_CHARS) return
    // PostgreSQL keeps no NUL in a text.
    if (envelope.includes('\0') || structure.includes('\0')) return
    this.#found.push(reading)
  }
}
