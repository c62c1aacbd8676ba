/**
 * Base64 undone (RFC 2045 §6.8), leniently and in steps, for readers of IMAP: what is none of its characters is passed
 * over, and padding ends a group wherever it stands, so that pieces which were joined are read one after the other.
 * This runs where all sessions wait.
 */
import type { Gradual } from './gradual.ts'

/** So many take less than half a millisecond. */
const STEP_OCTETS = 65_536
/** Both alphabets of RFC 4648, and padding. */
const OTHERS = /[^A-Za-z0-9+/_=-]+/g
const PADDING = /=+/

export function* decodingBase64(octets: Buffer): Gradual<Buffer<ArrayBuffer>> {
  const plain = Buffer.allocUnsafe(Math.ceil((octets.length * 3) / 4))
  let length = 0
  /** Of a group of four that is not whole. */
  let rest = ''
  for (let at = 0; at < octets.length; at += STEP_OCTETS) {
    const text = rest + octets.toString('latin1', at, at + STEP_OCTETS).replace(OTHERS, '')
    const runs = text.split(PADDING)
    const last = runs.pop() ?? ''
    for (const run of runs) length += plain.write(run, length, 'base64')
    const whole = last.length - (last.length % 4)
    length += plain.write(last.slice(0, whole), length, 'base64')
    rest = last.slice(whole)
    yield
  }
  length += plain.write(rest, length, 'base64')
  return plain.subarray(0, length)
}
