/** AUTH (RFC 4954): the mechanisms offered at this moment, and the AUTH= parameter of MAIL (§5). */
import { formatAddress, isAscii } from '../../mail/address.ts'
import { decodeXtext, encodeXtext } from '../../wire/xtext.ts'
import { parseMailbox } from '../path.ts'
import { replies } from '../replies.ts'
import type { Extension } from './extension.ts'

export const auth: Extension = {
  keyword: 'AUTH',
  rfcs: [4954],
  help: 'who submits logs in; AUTH= of MAIL names the submitter',
  has: settings => settings.mechanisms.length > 0,
  /** RFC 4954 §4: a mechanism that shows the password is not offered before TLS. */
  offer({ mechanisms }) {
    const names = mechanisms.map(each => each.name)
    return names.length === 0 ? undefined : `AUTH ${names.join(' ')}`
  },
  verbs: ['AUTH'],
  mailOctets: 500,
  mail: {
    /** `AUTH=` xtext of a mailbox or of `<>`, at most 500 characters. */
    AUTH(value, draft) {
      const text = value === undefined || value.length > 500 ? undefined : decodeXtext(value)
      if (text === undefined) return replies.badParameter('AUTH')
      if (text === '<>') {
        draft.submitter = null
        return undefined
      }
      // curl writes the mailbox in angle brackets, as MAIL does.
      const bare = text.startsWith('<') && text.endsWith('>') ? text.slice(1, -1) : text
      const mailbox = parseMailbox(Buffer.from(bare, 'latin1').toString('utf8'))
      if (mailbox === undefined) return replies.badParameter('AUTH')
      draft.submitter = formatAddress(mailbox)
      return undefined
    },
  },
  /** RFC 4954 §5: who submitted is told only to a hop that knows us; who submits says nothing himself. */
  writeMail({ submitter }, { login, utf8 }) {
    if (login === undefined || submitter === undefined) return ''
    return ` AUTH=${written(submitter, utf8)}`
  },
}

/** §5: where no valid mailbox can be written, it is `<>`. */
function written(submitter: string | null, utf8: boolean): string {
  if (submitter === null || !(utf8 || isAscii(submitter))) return '<>'
  const text = encodeXtext(submitter)
  return text.length > 500 ? '<>' : text
}
