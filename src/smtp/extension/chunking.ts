/** CHUNKING (RFC 3030 §2): content by BDAT, counted and not dotted. */
import type { Extension } from './extension.ts'

export const chunking: Extension = {
  keyword: 'CHUNKING',
  rfcs: [3030],
  help: 'content in counted chunks, by BDAT',
  offer: () => 'CHUNKING',
  verbs: ['BDAT'],
}
