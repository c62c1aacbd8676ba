/**
 * SASLprep (RFC 4013): the one form in which names and passwords are compared.
 *
 * Called by the mechanisms and by whoever makes or checks a verifier, so that a password set on one
 * machine and typed on another meet. Code points that Unicode 3.2 did not know pass on both sides:
 * a password with an emoji is a password (the mechanisms that never prepare would take it anyway).
 */
import { createRequire } from 'node:module'

/**
 * Characters of the longest text that is prepared. No name and no password is as long; a line of a peer may be, and grows
 * eighteenfold where it is of ligatures (NFKC): milliseconds of everybody's time for each.
 */
const TEXT_MAX = 1_024

/** Printable ASCII is its own prepared form. */
const PLAIN_ASCII = /^[ -~]+$/

type Saslprep = typeof import('@mongodb-js/saslprep')
let known: Saslprep | undefined

/** It unpacks the tables of Unicode as it is loaded, 15 ms: not before somebody has a name or a password that needs them. */
function saslprep(text: string): string {
  known ??= createRequire(import.meta.url)('@mongodb-js/saslprep') as Saslprep
  return known(text, { allowUnassigned: true })
}

/** The prepared text; undefined where it is prohibited, ill-formed, endless or empty (then nothing matches it). */
export function prepare(text: string): string | undefined {
  if (text.length > TEXT_MAX) return undefined
  if (PLAIN_ASCII.test(text)) return text
  if (!text.isWellFormed()) return undefined
  try {
    const prepared = saslprep(text)
    return prepared === '' ? undefined : prepared
  } catch {
    return undefined
  }
}
