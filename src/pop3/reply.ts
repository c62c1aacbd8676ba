/**
 * The replies of POP3 (RFC 1939 §3): a status indicator and a line of at most 512 octets. The
 * catalogue holds what more than one verb says; each verb writes its own greetings. Response codes
 * are those of RFC 2449 §8 and RFC 3206 §4.
 */

/** What a client may act on (IANA registry of POP3 response codes). */
export type ResponseCode = 'AUTH' | 'IN-USE' | 'LOGIN-DELAY' | 'SYS/TEMP' | 'SYS/PERM'

/** The longest reply line with its CRLF, in octets (RFC 1939 §3). */
const REPLY_MAX_OCTETS = 512

/** The end of a multi-line reply (RFC 1939 §3). */
export const TERMINATOR = '.\r\n'

/** `+OK text`. */
export function ok(text: string): string {
  return `+OK ${plain(text)}\r\n`
}

/** `-ERR [CODE] text`. */
export function err(text: string, code?: ResponseCode): string {
  return code === undefined ? `-ERR ${plain(text)}\r\n` : `-ERR [${code}] ${plain(text)}\r\n`
}

/**
 * Text as it may stand in a reply: printable ASCII, short enough. Policy's words come from
 * elsewhere, and no CR, LF or control of theirs may become part of the dialogue. A leading bracket
 * would read as a response code (RFC 2449 §8).
 */
function plain(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]/g, '?').slice(0, REPLY_MAX_OCTETS - 32)
  return printable.startsWith('[') ? ` ${printable}` : printable
}

export const replies = {
  /** RFC 1939 §3: "negative status indicator" for an unrecognized or unimplemented command. */
  unknown: err('unknown command'),
  /** RFC 1939 §3: or a syntactically invalid one. */
  garbled: err('control characters in the command'),
  overlong: err('the line is too long'),
  /** RFC 1939 §3: or one in the wrong session state. */
  illegal: err('not in this state'),
  noArguments: err('this command takes no arguments'),
  noName: err('a name is wanted'),
  noUser: err('send USER first'),
  badNumber: err('a message number is wanted'),
  /** RFC 1939 §5. */
  noSuchMessage: err('no such message'),
  badTop: err('a message number and a number of lines are wanted'),
  gone: err('the message was removed by other means'),
  deletedMessage: err('the message is marked as deleted'),
  /** RFC 3206 §4. One text for a wrong name and a wrong password. */
  denied: err('wrong name or password', 'AUTH'),
  unavailable: err('logins cannot be checked now', 'SYS/TEMP'),
  /** RFC 5034 §4. */
  badAuth: err('AUTH takes a mechanism and an initial response'),
  /** RFC 6856 §3. */
  noLanguage: err('nobody here speaks that language'),
  noMechanism: err('no such mechanism'),
  badSasl: err('malformed authentication exchange'),
  cancelled: err('authentication cancelled'),
  /** RFC 2595 §4. */
  noApop: err('APOP is not offered here'),
  badApop: err('APOP takes a name and a digest of 32 hexadecimal digits'),
  tlsActive: err('TLS is active already'),
  noTls: err('TLS is not available here'),
  /** RFC 2595 §2.2 and RFC 8314 §4: passwords are for TLS. */
  plaintextRefused: err('passwords are taken under TLS only: use STLS', 'AUTH'),
  /** RFC 2449 §8.1.2. */
  inUse: err('the maildrop is open in another session', 'IN-USE'),
  /** RFC 2449 §8.1.1. */
  tooSoon: err('the minimum time between logins has not passed', 'LOGIN-DELAY'),
  shuttingDown: err('the server is closing down', 'SYS/TEMP'),
} as const
