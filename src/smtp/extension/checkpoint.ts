/**
 * CHECKPOINT (RFC 1845): TRANSID= of MAIL names a transaction, so that one that broke off is gone on with
 * and one whose reply was lost is not carried out twice. What is kept, for whom and how
 * long is policy's (`Policy.mail` gives a resumption); the 355 and what follows are the verbs'.
 */
import { replies } from '../replies.ts'
import type { Extension } from './extension.ts'

/**
 *     transid-value  ::= "<" transid-spec ">"        ; at most 80 characters
 *     transid-spec   ::= transid-local "@" transid-domain
 *     transid-token  ::= transid-atom *("." transid-atom), for either
 *     transid-atom   ::= 1*<any (ASCII) CHAR except SPACE, CTLs, tspecials, or ".">
 */
const VALUE =
  /^<[!#$%&'*+^_`{|}~\w-]+(?:\.[!#$%&'*+^_`{|}~\w-]+)*@[!#$%&'*+^_`{|}~\w-]+(?:\.[!#$%&'*+^_`{|}~\w-]+)*>$/
const VALUE_MAX = 80

export const checkpoint: Extension = {
  keyword: 'CHECKPOINT',
  rfcs: [1845],
  help: 'a message that broke off is gone on with where it stopped',
  // It takes disk space for days: not for strangers, unless the listener's `with` says so.
  onAt: ['submission'],
  // The 250 of a repeat is one for the whole message; LMTP has one for each recipient.
  has: settings => settings.protocol === 'smtp',
  offer: () => 'CHECKPOINT',
  // RFC 1845 §2 (5).
  mailOctets: 88,
  mail: {
    TRANSID(value, draft) {
      if (value === undefined || value.length > VALUE_MAX || !VALUE.test(value)) {
        return replies.badParameter('TRANSID')
      }
      draft.transactionId = value
      return undefined
    },
  },
  writeMail: ({ transactionId }) =>
    transactionId === undefined ? '' : ` TRANSID=${transactionId}`,
}
