/** The texts of a message's fields as rules compare them: unfolded, decoded, in lower case. */
import { decodeWords } from './encoded-word.ts'
import { scanHeader } from './header.ts'

/** @param prefix the beginning of a message, its header in most cases */
export function fieldTexts(prefix: Uint8Array): (name: string) => readonly string[] {
  const header = scanHeader(prefix, { partial: true })
  return name => header.all(name).map(field => decodeWords(header.text(field)).toLowerCase())
}
