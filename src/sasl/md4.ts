/**
 * MD4 (RFC 1320), for the NT hash alone: Node's OpenSSL has it no more, as it is broken. Nothing but
 * NTLM and its verifier may use it.
 */

interface Round {
  readonly mix: (x: number, y: number, z: number) => number
  readonly added: number
  /** The order in which the words of a block are taken. */
  readonly order: readonly number[]
  readonly shifts: readonly number[]
}

/** §3.4. */
const rounds: readonly Round[] = [
  {
    mix: (x, y, z) => (x & y) | (~x & z),
    added: 0,
    order: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    shifts: [3, 7, 11, 19],
  },
  {
    mix: (x, y, z) => (x & y) | (x & z) | (y & z),
    added: 0x5a827999,
    order: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
    shifts: [3, 5, 9, 13],
  },
  {
    mix: (x, y, z) => x ^ y ^ z,
    added: 0x6ed9eba1,
    order: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
    shifts: [3, 9, 11, 15],
  },
]

/** The digest of `octets`: 16 octets. */
export function md4(octets: Uint8Array): Uint8Array {
  const message = padded(octets)
  let [a, b, c, d] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]
  for (let at = 0; at < message.byteLength; at += 64) {
    const before = [a, b, c, d]
    for (const { mix, added, order, shifts } of rounds) {
      order.forEach((word, step) => {
        const sum = (a + mix(b, c, d) + message.getUint32(at + 4 * word, true) + added) | 0
        const shift = shifts[step & 3] ?? 0
        ;[a, b, c, d] = [d, (sum << shift) | (sum >>> (32 - shift)), b, c]
      })
    }
    const [a0 = 0, b0 = 0, c0 = 0, d0 = 0] = before
    ;[a, b, c, d] = [(a + a0) | 0, (b + b0) | 0, (c + c0) | 0, (d + d0) | 0]
  }
  const digest = new DataView(new ArrayBuffer(16))
  for (const [i, word] of [a, b, c, d].entries()) digest.setUint32(4 * i, word, true)
  return new Uint8Array(digest.buffer)
}

/** §3.1, §3.2: a one bit, zeros, and the length in bits. */
function padded(octets: Uint8Array): DataView {
  const length = ((octets.length + 8) >>> 6) * 64 + 64
  const message = new Uint8Array(length)
  message.set(octets)
  message[octets.length] = 0x80
  const view = new DataView(message.buffer)
  view.setUint32(length - 8, octets.length << 3, true)
  view.setUint32(length - 4, octets.length >>> 29, true)
  return view
}

/** The NT hash (MS-NLMP §3.3.1, NTOWFv1): MD4 of the password in UTF-16. */
export function ntHash(password: string): Uint8Array {
  return md4(Buffer.from(password, 'utf16le'))
}
