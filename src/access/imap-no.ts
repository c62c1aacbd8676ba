/** The refusals that several files of IMAP's role give (RFC 5530). */
import type { No } from '../imap/server/question.ts'

export const noSuchMailbox: No = {
  kind: 'no',
  code: 'NONEXISTENT',
  why: 'there is no such mailbox',
}
export const tryCreate: No = { kind: 'no', code: 'TRYCREATE', why: 'there is no such mailbox' }
export const broken: No = {
  kind: 'no',
  code: 'SERVERBUG',
  why: 'something went wrong here, try again',
}
export const overQuota: No = {
  kind: 'no',
  code: 'OVERQUOTA',
  why: 'there is no room left in the account',
}
