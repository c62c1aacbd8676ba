/**
 * The legality of POP3 in one table (RFC 1939 §3-§6): where a verb may be given, and where its
 * success leads. The compiler keeps it whole; the session only looks it up.
 */
import type { VerbName } from '../command.ts'

export type State =
  /** RFC 1939 §4: who is it? */
  | 'authorization'
  /** RFC 1939 §5: the maildrop is open. */
  | 'transaction'
  /** RFC 1939 §6: deletions are being made good; no command is taken any more. */
  | 'update'
  /** The connection closes. */
  | 'over'

export const legality: Readonly<Record<VerbName, Readonly<Partial<Record<State, State>>>>> = {
  USER: { authorization: 'authorization' },
  PASS: { authorization: 'transaction' },
  APOP: { authorization: 'transaction' },
  AUTH: { authorization: 'transaction' },
  STLS: { authorization: 'authorization' },
  UTF8: { authorization: 'authorization' },
  LANG: { authorization: 'authorization', transaction: 'transaction' },
  CAPA: { authorization: 'authorization', transaction: 'transaction' },
  QUIT: { authorization: 'over', transaction: 'update' },
  STAT: { transaction: 'transaction' },
  LIST: { transaction: 'transaction' },
  UIDL: { transaction: 'transaction' },
  RETR: { transaction: 'transaction' },
  TOP: { transaction: 'transaction' },
  DELE: { transaction: 'transaction' },
  RSET: { transaction: 'transaction' },
  NOOP: { transaction: 'transaction' },
}
