/**
 * The buffers that messages are gathered in, used again instead of made anew: V8 marks its whole heap
 * whenever some 64 MB of buffers were made (see also world/node/read-buffer.ts). Who takes one owns it
 * until it is given back, and gives it back once. Taken by inbound/intake.ts; of a body that changed hands it is
 * store/committer.ts that gives it back.
 */

export const CHUNK_OCTETS = 262_144

/** So many wait here at most, 4 MB; what is given beyond them goes. */
const FREE_MAX = 16

/** What a message begins in, and most end in; of these 256 wait at most, half a megabyte. */
export const SMALL_OCTETS = 2_048
const FREE_SMALL_MAX = 256

const free: Uint8Array[] = []
const freeSmall: Uint8Array[] = []

/** A buffer of CHUNK_OCTETS with whatever is in it. */
export function takeChunk(): Uint8Array {
  return free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_OCTETS)
}

/** Its octets may be others from now on. A smaller buffer is nobody's, and goes. */
export function giveChunk(chunk: Uint8Array): void {
  if (chunk.length === CHUNK_OCTETS && free.length < FREE_MAX) free.push(chunk)
}

/** A buffer of SMALL_OCTETS; the same rules. */
export function takeSmall(): Uint8Array {
  return freeSmall.pop() ?? Buffer.allocUnsafeSlow(SMALL_OCTETS)
}

export function giveSmall(buffer: Uint8Array): void {
  if (buffer.length === SMALL_OCTETS && freeSmall.length < FREE_SMALL_MAX) freeSmall.push(buffer)
}
