/** 8BITMIME (RFC 6152): BODY=7BIT and BODY=8BITMIME; BINARYMIME (RFC 3030 §3) shares the parameter. */
import { replies } from '../replies.ts'
import type { Extension, Keyword } from './extension.ts'

export const eightBitMime: Extension = {
  keyword: '8BITMIME',
  rfcs: [6152],
  help: 'content with octets above 127',
  offer: () => '8BITMIME',
  mailOctets: 17,
  mail: {
    BODY(value, draft, { settings }) {
      const kind = value?.toUpperCase()
      if (kind === '7BIT' || kind === '8BITMIME') draft.body = kind
      else if (kind === 'BINARYMIME' && hasBinary(settings.without)) draft.body = kind
      else return replies.badParameter('BODY')
      return undefined
    },
  },
  writeMail: ({ body }) => (body === '8BITMIME' ? ' BODY=8BITMIME' : ''),
}

/** RFC 3030 §3: BINARYMIME needs CHUNKING. */
function hasBinary(without: readonly Keyword[]): boolean {
  return !without.includes('BINARYMIME') && !without.includes('CHUNKING')
}
