/**
 * Octets of a message as they go into a literal (RFC 9051 §4.3): none of a plain one is NUL, any may stand in a literal8
 * (RFC 3516 §4.3). A message may hold NUL, and only BINARY may tell it: in all else 0x80 stands for it, so that no
 * size changes; Dovecot does the same. Called by server/told-message.ts and server/command/url.ts.
 */
import type { Source } from '../wire/effect.ts'

/** Octets and what is known of them without looking. */
export interface Told {
  readonly content: Source
  /** Absent where nobody has looked, which in memory is done here. */
  readonly noNul?: true
}

/** Whether a literal8 is wanted; §4.3: what is known to hold no NUL goes in a plain literal. */
export function wantsLiteral8({ content, noNul }: Told): boolean {
  return content instanceof Uint8Array ? firstNul(content) >= 0 : noNul !== true
}

/** The octets of a plain literal, as many as there were. */
export function withoutNul({ content, noNul }: Told): Source {
  if (noNul) return content
  return content instanceof Uint8Array ? replaced(content) : eachReplaced(content)
}

const NUL = 0
const IN_ITS_PLACE = 0x80

function firstNul({ buffer, byteOffset, length }: Uint8Array): number {
  return Buffer.from(buffer, byteOffset, length).indexOf(NUL)
}

function replaced(octets: Uint8Array): Uint8Array {
  const first = firstNul(octets)
  if (first < 0) return octets
  // A copy: what is stored, or kept for others, stays as it is.
  const plain = new Uint8Array(octets)
  for (let at = first; at >= 0; at = plain.indexOf(NUL, at + 1)) plain[at] = IN_ITS_PLACE
  return plain
}

async function* eachReplaced(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const octets of pieces) yield replaced(octets)
}
