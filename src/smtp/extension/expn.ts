/**
 * EXPN (RFC 5321 §4.1.1.7): who is behind a list. It tells addresses, so it is off until a listener's
 * `with` names it; the verb is there in any case and then answers 252 (§7.3).
 */
import type { Extension } from './extension.ts'

export const expn: Extension = {
  keyword: 'EXPN',
  rfcs: [5321],
  help: 'the members of a list',
  onAt: [],
  offer: () => 'EXPN',
}
