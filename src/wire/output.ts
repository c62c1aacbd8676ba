/** What leaves by a connection, as text or octets, and several of them as one. Used by world/, whose pump gathers them. */
export type Output = string | Uint8Array

/** Text counts as UTF-8. */
export function octetsOf(output: Output): number {
  return typeof output === 'string' ? Buffer.byteLength(output) : output.length
}

/** One piece is given as it is, of several a copy. */
export function joined(pieces: readonly Output[]): Output {
  const [only] = pieces
  if (pieces.length === 1 && only !== undefined) return only
  if (pieces.every(piece => typeof piece === 'string')) return pieces.join('')
  let octets = 0
  for (const piece of pieces) octets += octetsOf(piece)
  const whole = Buffer.allocUnsafe(octets)
  let at = 0
  for (const piece of pieces) {
    if (typeof piece === 'string') at += whole.write(piece, at)
    else {
      whole.set(piece, at)
      at += piece.length
    }
  }
  return whole
}

/** All of it as octets: a copy where it is not one piece of them. */
export function octetsIn(output: Output | readonly Output[]): Uint8Array {
  const one = typeof output === 'string' || output instanceof Uint8Array ? output : joined(output)
  return typeof one === 'string' ? Buffer.from(one) : one
}
