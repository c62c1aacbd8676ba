/**
 * ETRN (RFC 1985): a customer asks that the mail which waits for a node be sent, over a connection of
 * ours. Off until a listener's `with` names it; policy then decides who may start what.
 */
import type { Extension } from './extension.ts'

export const etrn: Extension = {
  keyword: 'ETRN',
  rfcs: [1985],
  help: 'sends what waits for a domain to its own host, now',
  onAt: [],
  offer: () => 'ETRN',
  verbs: ['ETRN'],
}
