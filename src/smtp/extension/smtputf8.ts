/** SMTPUTF8 (RFC 6531): addresses and header fields in UTF-8, where MAIL asks for it. */
import { replies } from '../replies.ts'
import type { Extension } from './extension.ts'

export const smtputf8: Extension = {
  keyword: 'SMTPUTF8',
  rfcs: [6531],
  help: 'addresses and header fields in UTF-8',
  // RFC 6531 §3.1 item 8: a server that offers it must offer 8BITMIME.
  has: settings => !settings.without.includes('8BITMIME'),
  offer: () => 'SMTPUTF8',
  mailOctets: 10,
  rcptOctets: 10,
  mail: {
    /** RFC 6531 §3.1 item 5: the parameter has no value. */
    SMTPUTF8(value, draft) {
      if (value !== undefined) return replies.badParameter('SMTPUTF8')
      draft.utf8 = true
      return undefined
    },
  },
  writeMail: (_sender, { utf8 }) => (utf8 ? ' SMTPUTF8' : ''),
}
