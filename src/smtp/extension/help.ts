/** HELP (RFC 5321 §4.1.1.8): the keyword says that the verb is there. */
import type { Extension } from './extension.ts'

export const help: Extension = {
  keyword: 'HELP',
  offer: () => 'HELP',
  verbs: ['HELP'],
}
