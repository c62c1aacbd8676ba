/** HELP (RFC 5321 §4.1.1.8): the keyword says that the verb is there. */
import type { Extension } from './extension.ts'

export const help: Extension = {
  keyword: 'HELP',
  rfcs: [5321],
  help: 'what a verb or an extension is for',
  offer: () => 'HELP',
  verbs: ['HELP'],
}
