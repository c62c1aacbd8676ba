/**
 * NO-SOLICITING (RFC 3865): classes of solicitation that are not wanted here, as the config names them;
 * none by default (§2.8). SOLICIT of MAIL says which classes a message is of, and so does the field
 * `Solicitation:` of its header, which inbound/heed.ts reads.
 */
import { formatSolicitations, parseSolicitations, unwantedOf } from '../../mail/solicitation.ts'
import { replies } from '../replies.ts'
import type { Extension } from './extension.ts'

export const noSoliciting: Extension = {
  keyword: 'NO-SOLICITING',
  rfcs: [3865],
  help: 'classes of solicitation that are not wanted',
  // Switched on by the classes of the config (server/serve.ts), or by `with` to pass SOLICIT on (§2.2).
  onAt: [],
  offer: ({ settings: { unwanted } }) =>
    unwanted.length === 0 ? 'NO-SOLICITING' : `NO-SOLICITING ${formatSolicitations(unwanted)}`,
  mailOctets: 1009,
  mail: {
    /** Mail-From-Solicit-Parameter = "SOLICIT" "=" Solicitation-keywords     ; §2.3 */
    SOLICIT(value, draft, { settings }) {
      const classes = parseSolicitations(value ?? '')
      if (classes === undefined) return replies.badParameter('SOLICIT')
      draft.solicitations = classes
      const matched = unwantedOf(classes, settings.unwanted)
      return matched.length > 0 ? replies.unwanted(formatSolicitations(matched)) : undefined
    },
  },
  writeMail: ({ solicitations }) =>
    solicitations === undefined ? '' : ` SOLICIT=${formatSolicitations(solicitations)}`,
  /** §2.1: the sign on the door is read before one knocks. */
  unfit({ solicitations }, offered) {
    const unwanted = parseSolicitations(offered ?? '')
    if (solicitations === undefined || unwanted === undefined) return undefined
    const matched = unwantedOf(solicitations, unwanted)
    if (matched.length === 0) return undefined
    const reason = `the next hop does not want SOLICIT=${formatSolicitations(matched)} (RFC 3865)`
    return { status: '5.7.1', reason }
  },
}
