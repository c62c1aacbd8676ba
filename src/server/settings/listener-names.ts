/** The names of the listeners, in one place. */

/** The listeners of mail: each has an address and a port. */
export const MAIL_LISTENERS = [
  'smtp',
  'submission',
  'submissions',
  'lmtp',
  'odmr',
  'pop3',
  'pop3s',
  'imap',
  'imaps',
  'mtqp',
] as const

/** All that have a port. */
export const LISTENERS = [...MAIL_LISTENERS, 'http'] as const
