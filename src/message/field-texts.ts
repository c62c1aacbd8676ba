/** The texts of a message's fields as rules compare them: unfolded, decoded, in lower case. */
import { decodeWords } from './encoded-word.ts'
import { type Header, scanHeader } from './header.ts'

/**
 * Asked for every rule and recipient, so that a field is read once.
 * @param prefix the beginning of a message, its header in most cases
 */
export function fieldTexts(prefix: Uint8Array): (name: string) => readonly string[] {
  const header = scanHeader(prefix, { partial: true })
  const known = new Map<string, readonly string[]>()
  return name => {
    const texts = known.get(name) ?? textsOf(header, name)
    known.set(name, texts)
    return texts
  }
}

function textsOf(header: Header, name: string): readonly string[] {
  return header.all(name).map(field => decodeWords(header.text(field)).toLowerCase())
}
