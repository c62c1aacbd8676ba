/** SIZE (RFC 1870): the limit is told in EHLO, and a declared size above it is refused at MAIL. */
import { replies } from '../replies.ts'
import type { Extension } from './extension.ts'

export const size: Extension = {
  keyword: 'SIZE',
  rfcs: [1870],
  help: 'how large a message may be',
  // RFC 1870 §3: 0 says that there is no fixed limit.
  offer: ({ settings }) => `SIZE ${settings.sizeMaxBytes}`,
  mailOctets: 26,
  mail: {
    /** size-value ::= 1*20DIGIT (RFC 1870 §6). */
    SIZE(value, draft, { settings }) {
      if (value === undefined || !/^\d{1,20}$/.test(value)) return replies.badParameter('SIZE')
      const octets = Number(value)
      if (settings.sizeMaxBytes > 0 && octets > settings.sizeMaxBytes) return replies.tooBig
      draft.sizeOctets = octets
      return undefined
    },
  },
  /** §3: the size on the wire before dot-stuffing. */
  writeMail: (_sender, { sizeOctets }) => ` SIZE=${sizeOctets}`,
}
