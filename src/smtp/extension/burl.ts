/**
 * BURL (RFC 4468): content by reference, a signed URL of a message here (RFC 4467) in place of its octets. For users
 * who have logged in, on submission alone; before the login the keyword says no more than that it is there (§3.1).
 */
import type { Extension } from './extension.ts'

export const burl: Extension = {
  keyword: 'BURL',
  rfcs: [4468],
  help: 'content by reference: a signed URL of a message in a mailbox here',
  onAt: ['submission'],
  onlyAt: ['submission'],
  // §3.1: nobody may use it who has not logged in. §4: not without 8BITMIME.
  has: ({ mechanisms, without }) =>
    mechanisms.length > 0 && !without.includes('AUTH') && !without.includes('8BITMIME'),
  offer: ({ loggedIn }) => (loggedIn ? 'BURL imap' : 'BURL'),
  verbs: ['BURL'],
}
