/** ENHANCEDSTATUSCODES (RFC 2034): every reply of the catalogue carries one anyway; this says so. */
import type { Extension } from './extension.ts'

export const enhancedStatusCodes: Extension = {
  keyword: 'ENHANCEDSTATUSCODES',
  rfcs: [2034, 3463, 5248],
  help: 'replies carry a status such as 5.1.1',
  offer: () => 'ENHANCEDSTATUSCODES',
}
