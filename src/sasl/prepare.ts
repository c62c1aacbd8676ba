/**
 * SASLprep (RFC 4013): the one form in which names and passwords are compared.
 *
 * Called by the mechanisms and by whoever makes or checks a verifier, so that a password set on one
 * machine and typed on another meet. Code points that Unicode 3.2 did not know pass on both sides:
 * a password with an emoji is a password (the mechanisms that never prepare would take it anyway).
 */
import saslprep from '@mongodb-js/saslprep'

/** Printable ASCII is its own prepared form. */
const PLAIN_ASCII = /^[ -~]+$/

/** The prepared text; undefined where it is prohibited, ill-formed or empty (then nothing matches it). */
export function prepare(text: string): string | undefined {
  if (PLAIN_ASCII.test(text)) return text
  if (!text.isWellFormed()) return undefined
  try {
    const prepared = saslprep(text, { allowUnassigned: true })
    return prepared === '' ? undefined : prepared
  } catch {
    return undefined
  }
}
