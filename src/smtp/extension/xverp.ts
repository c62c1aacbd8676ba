/**
 * XVERP (Postfix, VERP_README): who sends to a list asks for a reverse-path of its own for each recipient, so that
 * each bounce says whom it is about. Off until a listener's `with` names it, since it makes one transaction
 * of each recipient; the addresses are mail/verp.ts's. Never passed on: what leaves is written out.
 */
import { areDelimiters, DELIMITERS } from '../../mail/verp.ts'
import { replies } from '../replies.ts'
import type { Extension } from './extension.ts'

export const xverp: Extension = {
  keyword: 'XVERP',
  rfcs: [],
  help: 'a reverse-path of its own for each recipient of a list',
  onAt: [],
  onlyAt: ['mx', 'submission', 'lmtp'],
  offer: () => 'XVERP',
  mailOctets: 9,
  mail: {
    XVERP(value, draft) {
      if (value !== undefined && !areDelimiters(value)) return replies.badParameter('XVERP')
      draft.verp = value ?? DELIMITERS
      return undefined
    },
  },
  /** Nobody hears of what has no reverse-path. */
  whole: ({ verp, reversePath }) =>
    verp !== undefined && reversePath === null ? replies.badParameter('XVERP') : undefined,
}
