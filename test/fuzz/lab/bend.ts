/** Octets bent: bits flipped, pieces taken out, put in, doubled, exchanged, cut off. Chance decides, and a seed repeats it. */
import type { Random } from '../../../src/world/random.ts'

/** What breaks lines, quotes and numbers anywhere. */
const SPLINTERS = [
  ...[
    '\r\n',
    '\n',
    '\r',
    '\0',
    '.',
    '\r\n.\r\n',
    ' ',
    '\t',
    '\xff',
    '-',
    '"',
    '\\',
    '(',
    ')',
    '<',
    '>',
  ],
  ...[
    '{',
    '}',
    '[',
    ']',
    '@',
    ':',
    ';',
    ',',
    '=',
    '%',
    '+',
    '*',
    '/',
    '?',
    '&',
    '0',
    '-1',
    '4294967296',
  ],
  ...[
    '99999999999999999999',
    '\xc3\xa9',
    '\xe2\x80\xa8',
    '\xed\xa0\x80',
    '\x1b[2J',
    '__proto__',
    'NaN',
  ],
]

/**
 * Octets with one to three changes.
 * @param words put in beside the usual splinters
 * @param other pieces of it are put in, too
 */
export function bend(
  octets: Buffer,
  random: Random,
  words: readonly string[] = [],
  other: Buffer = octets,
): Buffer {
  let bent = octets
  for (let changes = 1 + random.below(3); changes > 0; changes--) {
    const at = random.below(bent.length + 1)
    const length = random.below(Math.min(40, bent.length - at + 1))
    const before = bent.subarray(0, at)
    const behind = bent.subarray(at + length)
    switch (random.below(9)) {
      case 0: {
        bent = Buffer.from(bent)
        if (at < bent.length) bent[at] = (bent[at] as number) ^ (1 << random.below(8))
        break
      }
      case 1:
        bent = Buffer.concat([before, behind])
        break
      case 2:
      case 3:
      case 4: {
        const all = words.length > 0 && random.below(2) === 0 ? words : SPLINTERS
        const splinter = Buffer.from(all[random.below(all.length)] as string, 'latin1')
        bent = Buffer.concat([before, splinter, random.below(2) === 0 ? behind : bent.subarray(at)])
        break
      }
      case 5:
        bent = Buffer.concat([before, random.octets(length), bent.subarray(at)])
        break
      case 6: {
        const piece = bent.subarray(at, at + length)
        const times = random.below(8) === 0 ? 2 + random.below(20) : 1
        bent = Buffer.concat([before, ...Array<Buffer>(times).fill(piece), bent.subarray(at)])
        break
      }
      case 7: {
        const from = random.below(other.length + 1)
        const piece = other.subarray(from, from + random.below(200))
        bent = Buffer.concat([before, piece, behind])
        break
      }
      default:
        bent = random.below(4) === 0 ? Buffer.from(before) : Buffer.concat([before, behind])
    }
  }
  return bent
}
