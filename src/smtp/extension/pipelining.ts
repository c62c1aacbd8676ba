/** PIPELINING (RFC 2920): commands may arrive in groups; the session answers a group in one write. */
import type { Extension } from './extension.ts'

export const pipelining: Extension = {
  keyword: 'PIPELINING',
  offer: () => 'PIPELINING',
}
