/**
 * TURN (RFC 821 §3.8): as ATRN, for all domains of who asks. Nobody gets it unproven (RFC 5321 F.1), so
 * it is offered only to who has logged in or shown a certificate; off until `with` names it.
 */
import type { Extension } from './extension.ts'

export const turn: Extension = {
  keyword: 'TURN',
  rfcs: [821, 5321],
  help: 'sends what waits for you over this connection, the roles exchanged',
  onAt: [],
  offer: ({ proven }) => (proven ? 'TURN' : undefined),
  verbs: ['TURN'],
}
