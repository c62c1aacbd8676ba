/**
 * All verbs of the server, one row each; the compiler demands a row for every verb of state.ts and of
 * extension/. session.ts checks what the row says before the verb runs.
 */
import type { Conversation } from '../conversation.ts'
import type { Verb } from '../state.ts'
import type { Turn } from '../turn.ts'
import { atrn, turn } from './atrn.ts'
import { auth } from './auth.ts'
import { bdat } from './bdat.ts'
import { data } from './data.ts'
import { etrn } from './etrn.ts'
import { ehlo, helo, lhlo } from './hello.ts'
import { mail } from './mail.ts'
import { help, noop, quit, rset } from './plain.ts'
import { rcpt } from './rcpt.ts'
import { starttls } from './starttls.ts'
import { expn, vrfy } from './verify.ts'
import { xclient } from './xclient.ts'
import { xforward } from './xforward.ts'

export interface VerbRow {
  /** Runs at once, or as a turn that may wait. */
  readonly run: (conversation: Conversation, argument: string) => Turn | void
  /** 'none' refuses an argument, 'one' demands it (RFC 5321 §4.1.1). */
  readonly argument: 'none' | 'one' | 'any'
  /** Absent where every listener has it; else by dialect or extension. */
  readonly only?: 'smtp' | 'lmtp' | 'extension'
  /** True where a listener with `requireAuth` answers 530 before AUTH (RFC 4954 §6). */
  readonly login?: boolean
  /** True where the argument may be UTF-8 (RFC 6531 §3.1 items 4 and 7). */
  readonly utf8?: boolean
  /** True where the verb itself looks at the order, since it has more to read in any case. */
  readonly ordersItself?: boolean
}

export const verbs: Readonly<Record<Verb, VerbRow>> = {
  HELO: { run: helo, argument: 'one', only: 'smtp' },
  EHLO: { run: ehlo, argument: 'one', only: 'smtp' },
  LHLO: { run: lhlo, argument: 'one', only: 'lmtp' },
  MAIL: { run: mail, argument: 'one', login: true, utf8: true },
  RCPT: { run: rcpt, argument: 'one', utf8: true },
  DATA: { run: data, argument: 'none' },
  BDAT: { run: bdat, argument: 'one', only: 'extension', ordersItself: true },
  RSET: { run: rset, argument: 'none' },
  NOOP: { run: noop, argument: 'any' },
  HELP: { run: help, argument: 'any', only: 'extension' },
  VRFY: { run: vrfy, argument: 'one', login: true, utf8: true },
  EXPN: { run: expn, argument: 'one', login: true, utf8: true },
  QUIT: { run: quit, argument: 'none' },
  STARTTLS: { run: starttls, argument: 'none', only: 'extension' },
  AUTH: { run: auth, argument: 'one', only: 'extension' },
  XCLIENT: { run: xclient, argument: 'one', only: 'extension' },
  XFORWARD: { run: xforward, argument: 'one', only: 'extension' },
  ETRN: { run: etrn, argument: 'one', only: 'extension', login: true },
  ATRN: { run: atrn, argument: 'any', only: 'extension' },
  TURN: { run: turn, argument: 'none', only: 'extension' },
}
