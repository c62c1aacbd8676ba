/** The names of the listeners, in one place, and which are of a kind. What each may be told is listener.ts. */

/** Those at which mail comes in by SMTP or LMTP. `local` is a Unix socket, the others have a port. */
export const SMTP_LISTENERS = [
  'smtp',
  'submission',
  'submissions',
  'lmtp',
  'odmr',
  'local',
] as const

export type SmtpName = (typeof SMTP_LISTENERS)[number]

/** The listeners of mail that have an address and a port, and what is spoken there. */
export const PROTOCOLS = {
  smtp: 'smtp',
  submission: 'smtp',
  submissions: 'smtp',
  lmtp: 'lmtp',
  odmr: 'odmr',
  pop3: 'pop3',
  pop3s: 'pop3',
  imap: 'imap',
  imaps: 'imap',
  mtqp: 'mtqp',
} as const

export type MailName = keyof typeof PROTOCOLS

export const MAIL_LISTENERS = Object.keys(PROTOCOLS) as readonly MailName[]

/** All that have a port. */
export const LISTENERS = [...MAIL_LISTENERS, 'http'] as const

/** Under TLS from the first octet (RFC 8314). */
const IMPLICIT_TLS: readonly string[] = ['submissions', 'pop3s', 'imaps']

export function isImplicitTls(name: string): boolean {
  return IMPLICIT_TLS.includes(name)
}
