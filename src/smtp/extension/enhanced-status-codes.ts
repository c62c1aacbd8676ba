/** ENHANCEDSTATUSCODES (RFC 2034): every reply of the catalogue carries one anyway; this says so. */
import type { Extension } from './extension.ts'

export const enhancedStatusCodes: Extension = {
  keyword: 'ENHANCEDSTATUSCODES',
  offer: () => 'ENHANCEDSTATUSCODES',
}
