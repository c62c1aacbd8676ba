/**
 * ATRN (RFC 2645 §5.2): a customer who has logged in takes the mail of his domains over the connection he
 * has made. On at the ODMR listener (port 366), elsewhere where `with` names it.
 */
import type { Extension } from './extension.ts'

export const atrn: Extension = {
  keyword: 'ATRN',
  rfcs: [2645],
  help: 'sends what waits for your domains over this connection, the roles exchanged',
  onAt: ['odmr'],
  offer: () => 'ATRN',
  verbs: ['ATRN'],
}
