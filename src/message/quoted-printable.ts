/**
 * Quoted-printable undone (RFC 2045 §6.7), leniently, for readers of IMAP: what is no code stays as it stands.
 * Every octet is looked at a fixed number of times, whatever a stranger has sent: this runs where all sessions wait.
 */

import { finished, type Gradual } from './gradual.ts'

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const EQUALS = 0x3d

/** So many octets take half a millisecond. */
const STEP_OCTETS = 16_384

/** How far it has come. */
interface Decoding {
  readonly plain: Buffer<ArrayBuffer>
  at: number
  length: number
  /** What stands behind this are blanks: no content, should the line end here (RFC 2045 §6.7 rule 3). */
  solid: number
}

export function decodeQuotedPrintable(octets: Uint8Array): Buffer<ArrayBuffer> {
  return finished(decodingQuotedPrintable(octets))
}

/** The same in steps: a part of many megabytes takes a second. */
export function* decodingQuotedPrintable(octets: Uint8Array): Gradual<Buffer<ArrayBuffer>> {
  // Nothing grows by being decoded.
  const decoding = { plain: Buffer.allocUnsafe(octets.length), at: 0, length: 0, solid: 0 }
  while (decoding.at < octets.length) {
    decodeOn(octets, decoding, Math.min(octets.length, decoding.at + STEP_OCTETS))
    yield
  }
  return decoding.plain.subarray(0, decoding.solid)
}

function decodeOn(octets: Uint8Array, decoding: Decoding, until: number): void {
  const { plain } = decoding
  let { at, length, solid } = decoding
  while (at < until) {
    const octet = octets[at] ?? 0
    if (octet === EQUALS) {
      const behind = softBreakEnd(octets, at)
      if (behind !== undefined) {
        at = behind
        solid = length
        continue
      }
    }
    const coded = octet === EQUALS ? codedOctet(octets, at) : undefined
    if (coded === undefined && isLineEnd(octets, at)) length = solid
    plain[length++] = coded ?? octet
    at += coded === undefined ? 1 : 3
    if (coded !== undefined || !isBlank(octet)) solid = length
  }
  decoding.at = at
  decoding.length = length
  decoding.solid = solid
}

/** soft-line-break = "=" *(SP / TAB) CRLF, or LF alone: where the next line begins. */
function softBreakEnd(octets: Uint8Array, from: number): number | undefined {
  let at = from + 1
  while (isBlank(octets[at])) at++
  if (octets[at] === CR && octets[at + 1] === LF) return at + 2
  return octets[at] === LF ? at + 1 : undefined
}

/** hex-octet = "=" 2(DIGIT / "A"-"F"); small letters are read as well. */
function codedOctet(octets: Uint8Array, at: number): number | undefined {
  const high = hexDigit(octets[at + 1])
  const low = hexDigit(octets[at + 2])
  return high === undefined || low === undefined ? undefined : high * 16 + low
}

function hexDigit(octet = 0): number | undefined {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30
  const letter = octet | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : undefined
}

function isBlank(octet: number | undefined): boolean {
  return octet === SPACE || octet === TAB
}

function isLineEnd(octets: Uint8Array, at: number): boolean {
  return octets[at] === LF || (octets[at] === CR && octets[at + 1] === LF)
}
