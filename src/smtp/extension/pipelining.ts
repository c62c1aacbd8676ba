/** PIPELINING (RFC 2920): commands may arrive in groups; the session answers a group in one write. */
import type { Extension } from './extension.ts'

export const pipelining: Extension = {
  keyword: 'PIPELINING',
  rfcs: [2920],
  help: 'commands may come in groups, without waiting for replies',
  offer: () => 'PIPELINING',
}
