/** The refusals that several files of IMAP's role give (RFC 5530). */
import { foreignName, isCreatable } from '../imap/mailbox-name.ts'
import type { No } from '../imap/server/question.ts'
import { StoreError } from '../store/store.ts'

export const noSuchMailbox: No = {
  kind: 'no',
  code: 'NONEXISTENT',
  why: 'there is no such mailbox',
}
const tryCreate: No = { ...noSuchMailbox, code: 'TRYCREATE' }

/** RFC 9051 §6.3.12: to create it is proposed where that might come to something. */
export function notThere(name: string): No {
  return isCreatable(name) && foreignName(name) === undefined ? tryCreate : noSuchMailbox
}

export const broken: No = {
  kind: 'no',
  code: 'SERVERBUG',
  why: 'something went wrong here, try again',
}
const unavailable: No = {
  kind: 'no',
  code: 'UNAVAILABLE',
  why: 'the store cannot do that just now, try again later',
}

/** RFC 5530 §3: what the store cannot do for now, on a full disk say, is no bug; all else that throws is. */
export function failedFor(error: unknown): No {
  return error instanceof StoreError && error.reason !== 'conflict' ? unavailable : broken
}
export const tooManyKeywords: No = {
  kind: 'no',
  code: 'LIMIT',
  why: 'the mailbox has too many keywords',
}
export const overQuota: No = {
  kind: 'no',
  code: 'OVERQUOTA',
  why: 'there is no room left in the account',
}
