/** STARTTLS (RFC 3207): offered until TLS is on. */
import type { Extension } from './extension.ts'

export const starttls: Extension = {
  keyword: 'STARTTLS',
  rfcs: [3207],
  help: 'the connection becomes a private one',
  has: settings => settings.startTls,
  // RFC 3207 §4.2: not offered again once TLS is on.
  offer: ({ tls }) => (tls ? undefined : 'STARTTLS'),
  verbs: ['STARTTLS'],
}
