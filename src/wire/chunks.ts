/**
 * The buffers that messages are gathered and kept in, used again instead of made anew: V8 marks its whole heap
 * whenever some 64 MB of buffers were made (see also world/node/read-buffer.ts). Who takes one owns it
 * until it is given back, and gives it back once. Taken by inbound/intake.ts and lending.ts; of a body that changed
 * hands it is store/committer.ts that gives it back.
 */

export const CHUNK_OCTETS = 262_144

/** What a message begins in, and most end in. */
export const SMALL_OCTETS = 2_048

/** Buffers of one size: so many wait at most, and what is given beyond them goes. */
interface Pool {
  readonly octets: number
  readonly most: number
  readonly free: Uint8Array[]
}

function pool(octets: number, most: number): Pool {
  return { octets, most, free: [] }
}

const small = pool(SMALL_OCTETS, 256)
const quarters = pool(CHUNK_OCTETS / 4, 64)
const halves = pool(CHUNK_OCTETS / 2, 48)
const whole = pool(CHUNK_OCTETS, 24)

function take({ free, octets }: Pool): Uint8Array {
  return free.pop() ?? Buffer.allocUnsafeSlow(octets)
}

/** A buffer of another size is nobody's, and goes. */
function give({ free, octets, most }: Pool, buffer: Uint8Array): void {
  if (buffer.length === octets && free.length < most) free.push(buffer)
}

/** A buffer of CHUNK_OCTETS with whatever is in it. */
export function takeChunk(): Uint8Array {
  return take(whole)
}

/** Its octets may be others from now on. */
export function giveChunk(chunk: Uint8Array): void {
  give(whole, chunk)
}

/** A buffer of SMALL_OCTETS; the same rules. */
export function takeSmall(): Uint8Array {
  return take(small)
}

export function giveSmall(buffer: Uint8Array): void {
  give(small, buffer)
}

/** A buffer for so many octets, CHUNK_OCTETS at most. */
export function takeFor(octets: number): Uint8Array {
  return take(poolFor(octets))
}

/** Gives back what `takeFor` gave. */
export function giveTaken(buffer: Uint8Array): void {
  give(poolFor(buffer.length), buffer)
}

function poolFor(octets: number): Pool {
  if (octets <= quarters.octets) return quarters
  return octets <= halves.octets ? halves : whole
}
