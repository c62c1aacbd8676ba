/**
 * Which command may come when (RFC 5321 §4.1.4, RFC 3030 §2, RFC 3207 §4, RFC 4954 §4, RFC 1985 §5): one table of
 * state and verb, closed by the type checker. The cell is the state after the verb
 * succeeded, or why the verb is out of order.
 */
import type { ExtensionVerb } from '../extension/extension.ts'

export type State =
  /** Greeted; no hello yet. */
  | 'connected'
  /** Said hello; no transaction. */
  | 'ready'
  /** MAIL was accepted. */
  | 'mail'
  /** At least one RCPT was accepted. */
  | 'rcpt'
  /** At least one BDAT was accepted. */
  | 'chunks'
  /** A BDAT failed: the transaction is gone, and all but RSET is refused (RFC 3030 §2). */
  | 'broken'
  /** Greeted with 554: all but QUIT is refused (RFC 5321 §3.1). */
  | 'barred'

export type CoreVerb =
  | 'HELO'
  | 'EHLO'
  | 'LHLO'
  | 'MAIL'
  | 'RCPT'
  | 'DATA'
  | 'RSET'
  | 'NOOP'
  | 'VRFY'
  | 'EXPN'
  | 'QUIT'

export type Verb = CoreVerb | ExtensionVerb

/** Names of replies in replies.ts. */
export type Misuse =
  | 'needsHello'
  | 'needsMail'
  | 'needsRecipient'
  | 'inTransaction'
  | 'inChunks'
  | 'needsReset'
  | 'noService'

/** Verbs that are legal anywhere and change nothing. */
const anywhere = { NOOP: 'same', VRFY: 'same', EXPN: 'same', HELP: 'same', QUIT: 'same' } as const

/** A hello or RSET ends any transaction (RFC 5321 §4.1.4); TLS ends all that was known (RFC 3207 §4.2). */
const afresh = {
  HELO: 'ready',
  EHLO: 'ready',
  LHLO: 'ready',
  RSET: 'ready',
  STARTTLS: 'connected',
} as const

const transitions = {
  connected: {
    ...anywhere,
    ...afresh,
    RSET: 'connected',
    STARTTLS: 'needsHello',
    MAIL: 'needsHello',
    RCPT: 'needsHello',
    DATA: 'needsHello',
    BDAT: 'needsHello',
    BURL: 'needsHello',
    AUTH: 'needsHello',
    XCLIENT: 'connected',
    XFORWARD: 'same',
    ETRN: 'needsHello',
    ATRN: 'needsHello',
    TURN: 'needsHello',
  },
  ready: {
    ...anywhere,
    ...afresh,
    MAIL: 'mail',
    RCPT: 'needsMail',
    DATA: 'needsMail',
    BDAT: 'needsMail',
    BURL: 'needsMail',
    AUTH: 'ready',
    XCLIENT: 'connected',
    XFORWARD: 'same',
    ETRN: 'same',
    ATRN: 'ready',
    TURN: 'ready',
  },
  mail: {
    ...anywhere,
    ...afresh,
    MAIL: 'inTransaction',
    RCPT: 'rcpt',
    DATA: 'needsRecipient',
    BDAT: 'needsRecipient',
    BURL: 'needsRecipient',
    AUTH: 'inTransaction',
    XCLIENT: 'inTransaction',
    XFORWARD: 'inTransaction',
    ETRN: 'inTransaction',
    ATRN: 'inTransaction',
    TURN: 'inTransaction',
  },
  rcpt: {
    ...anywhere,
    ...afresh,
    MAIL: 'inTransaction',
    RCPT: 'rcpt',
    DATA: 'ready',
    BDAT: 'chunks',
    BURL: 'chunks',
    AUTH: 'inTransaction',
    XCLIENT: 'inTransaction',
    XFORWARD: 'inTransaction',
    ETRN: 'inTransaction',
    ATRN: 'inTransaction',
    TURN: 'inTransaction',
  },
  chunks: {
    ...anywhere,
    ...afresh,
    MAIL: 'inTransaction',
    RCPT: 'inChunks',
    DATA: 'inChunks',
    BDAT: 'chunks',
    BURL: 'chunks',
    AUTH: 'inTransaction',
    XCLIENT: 'inTransaction',
    XFORWARD: 'inTransaction',
    ETRN: 'inTransaction',
    ATRN: 'inTransaction',
    TURN: 'inTransaction',
  },
  broken: {
    ...anywhere,
    ...afresh,
    MAIL: 'needsReset',
    RCPT: 'needsReset',
    DATA: 'needsReset',
    BDAT: 'needsReset',
    BURL: 'needsReset',
    AUTH: 'needsReset',
    XCLIENT: 'needsReset',
    XFORWARD: 'needsReset',
    ETRN: 'needsReset',
    ATRN: 'needsReset',
    TURN: 'needsReset',
  },
  barred: {
    HELO: 'noService',
    EHLO: 'noService',
    LHLO: 'noService',
    MAIL: 'noService',
    RCPT: 'noService',
    DATA: 'noService',
    BDAT: 'noService',
    BURL: 'noService',
    RSET: 'noService',
    NOOP: 'noService',
    VRFY: 'noService',
    EXPN: 'noService',
    HELP: 'noService',
    QUIT: 'same',
    STARTTLS: 'noService',
    AUTH: 'noService',
    XCLIENT: 'noService',
    XFORWARD: 'noService',
    ETRN: 'noService',
    ATRN: 'noService',
    TURN: 'noService',
  },
} as const satisfies Record<State, Record<Verb, State | 'same' | Misuse>>

/** Why `verb` is out of order in `state`, or undefined where it is legal. */
export function misuse(state: State, verb: Verb): Misuse | undefined {
  const cell = transitions[state][verb]
  switch (cell) {
    case 'same':
    case 'connected':
    case 'ready':
    case 'mail':
    case 'rcpt':
    case 'chunks':
      return undefined
    default:
      return cell
  }
}

/** The state after `verb` succeeded in `state`. */
export function after(state: State, verb: Verb): State {
  const cell = transitions[state][verb]
  switch (cell) {
    case 'connected':
    case 'ready':
    case 'mail':
    case 'rcpt':
    case 'chunks':
      return cell
    default:
      return state
  }
}
