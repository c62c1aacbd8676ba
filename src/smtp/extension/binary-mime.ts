/** BINARYMIME (RFC 3030 §3): content of any octets, only by BDAT. Its BODY value is in eight-bit-mime.ts. */
import type { Extension } from './extension.ts'

export const binaryMime: Extension = {
  keyword: 'BINARYMIME',
  rfcs: [3030],
  help: 'content of any octets, by BDAT',
  has: settings => !settings.without.includes('CHUNKING') && !settings.without.includes('8BITMIME'),
  offer: () => 'BINARYMIME',
  writeMail: ({ body }) => (body === 'BINARYMIME' ? ' BODY=BINARYMIME' : ''),
}
