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
import { burl } from './burl.ts'
import { data } from './data.ts'
import { etrn } from './etrn.ts'
import { ehlo, helo, lhlo } from './hello.ts'
import { help } from './help.ts'
import { mail } from './mail.ts'
import { noop, quit, rset } from './plain.ts'
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
  /** One line for HELP. */
  readonly help: string
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
  HELO: {
    run: helo,
    argument: 'one',
    help: 'HELO name: says who the client is, as in 1982',
    only: 'smtp',
  },
  EHLO: {
    run: ehlo,
    argument: 'one',
    help: 'EHLO name: says who the client is, and asks for the extensions',
    only: 'smtp',
  },
  LHLO: {
    run: lhlo,
    argument: 'one',
    help: 'LHLO name: says who the client is, and asks for the extensions',
    only: 'lmtp',
  },
  MAIL: {
    run: mail,
    argument: 'one',
    help: 'MAIL FROM:<sender> [parameters]: begins a message',
    login: true,
    utf8: true,
  },
  RCPT: {
    run: rcpt,
    argument: 'one',
    help: 'RCPT TO:<recipient> [parameters]: names one recipient',
    utf8: true,
  },
  DATA: {
    run: data,
    argument: 'none',
    help: 'DATA: the message follows, and ends with a dot on a line of its own',
  },
  BDAT: {
    run: bdat,
    argument: 'any',
    help: 'BDAT octets [LAST]: so many octets of the message follow',
    only: 'extension',
    ordersItself: true,
  },
  BURL: {
    run: burl,
    argument: 'any',
    help: 'BURL url [LAST]: what the URL names is the next part of the message',
    only: 'extension',
    ordersItself: true,
  },
  RSET: { run: rset, argument: 'none', help: 'RSET: forgets the message that was begun' },
  NOOP: { run: noop, argument: 'any', help: 'NOOP: does nothing' },
  HELP: {
    run: (conversation, argument) => help(conversation, argument, verbs),
    argument: 'any',
    help: 'HELP [word]: this',
    only: 'extension',
  },
  VRFY: {
    run: vrfy,
    argument: 'one',
    help: 'VRFY name [SMTPUTF8]: asks whether a mailbox is here',
    login: true,
    utf8: true,
  },
  EXPN: {
    run: expn,
    argument: 'one',
    help: 'EXPN name [SMTPUTF8]: asks for the members of a list',
    login: true,
    utf8: true,
  },
  QUIT: { run: quit, argument: 'none', help: 'QUIT: ends the session' },
  STARTTLS: {
    run: starttls,
    argument: 'none',
    help: 'STARTTLS: makes the connection private',
    only: 'extension',
  },
  AUTH: {
    run: auth,
    argument: 'one',
    help: 'AUTH mechanism [initial-response]: logs in',
    only: 'extension',
  },
  XCLIENT: {
    run: xclient,
    argument: 'one',
    help: 'XCLIENT name=value ...: says whose connection this is',
    only: 'extension',
  },
  XFORWARD: {
    run: xforward,
    argument: 'one',
    help: 'XFORWARD name=value ...: says whom the next message came from',
    only: 'extension',
  },
  ETRN: {
    run: etrn,
    argument: 'one',
    help: 'ETRN domain: sends what waits for a domain to its own host',
    only: 'extension',
    login: true,
  },
  ATRN: {
    run: atrn,
    argument: 'any',
    help: 'ATRN [domain,...]: sends what waits for your domains over this connection',
    only: 'extension',
  },
  TURN: {
    run: turn,
    argument: 'none',
    help: 'TURN: sends what waits for you over this connection',
    only: 'extension',
  },
}
