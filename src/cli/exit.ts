/** Exit codes of sysexits.h: what a script can tell apart. Every command ends with one of them. */

export const EXIT = {
  ok: 0,
  /** Called wrongly. */
  usage: 64,
  /** The input is not what it should be: a message, a database. */
  data: 65,
  /** An input file is not there. */
  noInput: 66,
  /** No such account, alias, address. */
  noUser: 67,
  noHost: 68,
  /** A service is not available. */
  unavailable: 69,
  /** A bug of ours. */
  software: 70,
  osError: 71,
  /** An output file cannot be made. */
  cantCreate: 73,
  ioError: 74,
  /** Not now: try again. What `sendmail` says when it cannot reach the server. */
  tempFail: 75,
  protocol: 76,
  /** Not allowed. */
  noPermission: 77,
  /** The config is wrong. */
  config: 78,
} as const
