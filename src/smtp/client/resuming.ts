/**
 * Transactions with a name, as a client (RFC 1845): the name that goes with MAIL, what the hop says of how
 * far it has come, and the content from there on. Called by transaction.ts.
 *
 * The name stays the same for a message over all attempts, so that nothing need be remembered: the hop
 * says by its replies to RCPT whose transaction it knows. For others the next name is taken.
 */
import type { Reply } from '../../mail/status.ts'
import type { Transform } from '../../wire/effect.ts'
import type { Carry } from './question.ts'
import { offers, type Talk } from './talk.ts'

/** Names that are tried for a message; behind them it goes without one. */
export const NAMES_MAX = 8

/** RFC 1845 §2 (4): what may stand behind the @; an address literal may not. */
const DOMAIN = /^[\w-]+(?:\.[\w-]+)*$/
const LF = 10
const DOT = 46
const TERMINATOR_OCTETS = 3
const nothing = new Uint8Array(0)

/**
 * `<id.size.how.n@host>`: content that would be written otherwise has another name, so that an offset always
 * counts the same octets. Undefined where the hop knows no names, or the message has none.
 */
export function transactionName(
  talk: Talk,
  { id, envelope: { sender }, sizeOctets }: Carry,
  n: number,
): string | undefined {
  // By BDAT there is no going on: RFC 1845 speaks of DATA.
  if (id === undefined || n >= NAMES_MAX || sender.body === 'BINARYMIME') return undefined
  if (talk.settings.protocol !== 'smtp' || !offers(talk, 'CHECKPOINT')) return undefined
  const { hostname } = talk.settings
  const how = `${sender.body.charAt(0)}${sender.utf8 ? 'u' : 'a'}`
  const host = DOMAIN.test(hostname) && hostname.length <= 30 ? hostname : 'postrider'
  return `<${id}.${sizeOctets.toString(36)}.${how}.${n}@${host}>`
}

/** `355 octet-offset ...`: the offset is the first thing in the line. Undefined where it is none. */
export function offsetIn(reply: Reply, sizeOctets: number): number | undefined {
  const found = /^\s*(\d{1,15})(?:\s|$)/.exec(reply.lines[0] ?? '')
  const offset = Number(found?.[1])
  // A message may grow a little where its line ends are mended on the way.
  return found !== null && offset <= 2 * sizeOctets + 2 ? offset : undefined
}

/**
 * A stuffed message without its first `offset` octets, dots that were added not counted. `short` is told
 * where the message has fewer: its end is then held back.
 */
export function goneOnAt(offset: number, stuffing: Transform, short: () => void): Transform {
  let left = offset
  let lineStart = true
  const rest = (octets: Uint8Array): Uint8Array => {
    let at = 0
    for (; at < octets.length && left > 0; at++) {
      const octet = octets[at]
      // At the start of a line, what looks like a dot is one that was added.
      if (!(lineStart && octet === DOT)) left -= 1
      lineStart = octet === LF
    }
    return octets.subarray(at)
  }
  return {
    push(octets) {
      const stuffed = stuffing.push(octets)
      return left === 0 ? stuffed : rest(stuffed)
    },
    end() {
      const end = stuffing.end()
      if (left === 0) return end
      const last = rest(end.subarray(0, end.length - TERMINATOR_OCTETS))
      if (left > 0) {
        short()
        return nothing
      }
      return Buffer.concat([last, end.subarray(end.length - TERMINATOR_OCTETS)])
    },
  }
}
