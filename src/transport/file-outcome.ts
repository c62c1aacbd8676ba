/** What became of a delivery into a file, in the words of outcomes. Used by transport/maildir.ts and mbox.ts. */
import type { Outcome } from '../mail/outcome.ts'
import { FileError } from '../world/files.ts'
import type { Log } from '../world/log.ts'

/** Troubles of the disk that are ours to mend or pass by themselves; none of them loses mail. */
const STATUSES: Readonly<Record<string, string>> = {
  ENOSPC: '4.3.1',
  EDQUOT: '4.2.2',
  EFBIG: '4.2.2',
}

export const fileOutcome = {
  delivered: (place: string, reason: string): Outcome => ({
    kind: 'delivered',
    how: 'mailbox',
    status: '2.0.0',
    reason,
    place,
  }),
  /** A part of the address would lead out of the folder it is put into. */
  unsafe: (place: string): Outcome => ({
    kind: 'failed',
    status: '5.1.3',
    reason: 'the address cannot be the name of a file',
    place,
  }),
  nobody: (place: string): Outcome => ({
    kind: 'failed',
    status: '5.1.1',
    reason: 'there is no such mailbox',
    place,
  }),
  trouble(log: Log, message: string, place: string, error: unknown): Outcome {
    if (error instanceof FileError) {
      const status = STATUSES[error.code] ?? '4.3.0'
      return { kind: 'deferred', status, reason: error.message, place }
    }
    log.warn('source-failed', { message, reason: String(error) })
    const reason = 'the content of the message could not be read'
    return { kind: 'deferred', status: '4.3.0', reason, place }
  },
}
