/**
 * A command line of POP3 (RFC 1939 §3, §9; RFC 2449 §4): a keyword of three or four letters, in any
 * case, and what follows the first space. Called by the server's session. It knows no state and
 * says nothing to the peer.
 */

/** Every keyword we know. */
export type VerbName =
  | 'APOP'
  | 'AUTH'
  | 'CAPA'
  | 'DELE'
  | 'LANG'
  | 'LIST'
  | 'NOOP'
  | 'PASS'
  | 'QUIT'
  | 'RETR'
  | 'RSET'
  | 'STAT'
  | 'STLS'
  | 'TOP'
  | 'UIDL'
  | 'USER'
  | 'UTF8'

const names: ReadonlyMap<string, VerbName> = new Map(
  (
    [
      'APOP',
      'AUTH',
      'CAPA',
      'DELE',
      'LANG',
      'LIST',
      'NOOP',
      'PASS',
      'QUIT',
      'RETR',
      'RSET',
      'STAT',
      'STLS',
      'TOP',
      'UIDL',
      'USER',
      'UTF8',
    ] as const
  ).map(name => [name, name]),
)

/** The longest command line with its CRLF, in octets (RFC 2449 §4). */
export const COMMAND_MAX_OCTETS = 255

/**
 * The longest line of a SASL exchange, in octets. RFC 5034 §4 takes it out of the limit for
 * commands; this is room for any token of RFC 7628 that is seen in the field. AUTH itself has as much:
 * a client must not send an initial response that bursts 255 octets (§4), and many send their token so.
 */
export const SASL_LINE_MAX_OCTETS = 16_384

/** Whether a line, given by its head, may be as long as one of a SASL exchange. */
export function mayBeLong(head: string): boolean {
  return /^AUTH /i.test(head)
}

/** All controls but the tab that a password may hold. */
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/

export type Command =
  | { readonly kind: 'command'; readonly verb: VerbName; readonly argument: string }
  | { readonly kind: 'unknown' }
  /** Octets that no command may hold: controls (RFC 1939 §3 wants printable characters). */
  | { readonly kind: 'garbled' }

const unknown: Command = { kind: 'unknown' }
const garbled: Command = { kind: 'garbled' }

/**
 * Reads a line without its end, one character an octet. Arguments are UTF-8, and keep the spaces of
 * a password (RFC 1939 §7, PASS); all others lose those at the end, which some clients send.
 */
export function parseCommand(octets: string): Command {
  if (CONTROL.test(octets)) return garbled
  const space = octets.indexOf(' ')
  const verb = names.get((space < 0 ? octets : octets.slice(0, space)).toUpperCase())
  if (verb === undefined) return unknown
  if (space < 0) return { kind: 'command', verb, argument: '' }
  const argument = Buffer.from(octets.slice(space + 1), 'latin1').toString('utf8')
  return { kind: 'command', verb, argument: verb === 'PASS' ? argument : argument.trimEnd() }
}

/** A message-number (RFC 1939 §3: from 1, decimal), without leading zeros; undefined otherwise. */
export function parseMessageNumber(text: string): number | undefined {
  return /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : undefined
}

/** The line count of TOP: "a non-negative number" (RFC 1939 §7). fetchmail sends 99999999. */
export function parseLineCount(text: string): number | undefined {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined
}
