/**
 * What a client session may be waiting for, how long each may take (RFC 5321 §4.5.3.2), and what
 * may follow what. Read with session.ts, which walks this table.
 */
import type { Phase } from './question.ts'

/** Timeouts in ms. */
export interface Timeouts {
  /** §4.5.3.2.1: the 220 greeting. */
  readonly greetingMs: number
  /** §4.5.3.2.2 and .3: MAIL and RCPT; also EHLO, AUTH and RSET. */
  readonly commandMs: number
  /** §4.5.3.2.4: the 354 after DATA. */
  readonly dataMs: number
  /** §4.5.3.2.5: each block of content. */
  readonly blockMs: number
  /** §4.5.3.2.6: the reply to the final dot. */
  readonly finalMs: number
  /** The TLS handshake. */
  readonly tlsMs: number
  /** The reply to QUIT, which changes nothing any more. */
  readonly quitMs: number
  /** RFC 2645 §5.2.1: the reply to ATRN, for which the hop may look through its queue. */
  readonly exchangeMs: number
}

const minuteMs = 60_000

/** RFC 5321 §4.5.3.2, each at its least; no reply takes longer than `capMs`, the last not twice that. */
export function timeouts(capMs = Number.POSITIVE_INFINITY): Timeouts {
  return {
    greetingMs: Math.min(capMs, 5 * minuteMs),
    commandMs: Math.min(capMs, 5 * minuteMs),
    dataMs: Math.min(capMs, 2 * minuteMs),
    blockMs: Math.min(capMs, 3 * minuteMs),
    finalMs: Math.min(2 * capMs, 10 * minuteMs),
    tlsMs: Math.min(capMs, minuteMs),
    quitMs: Math.min(capMs, 5_000),
    exchangeMs: Math.min(2 * capMs, 10 * minuteMs),
  }
}

/** What the session waits for: a reply, TLS, its next work, or the end. */
export type State =
  | 'greeting'
  | 'hello'
  | 'starttls'
  /** Between sink.secure() and secured(): not one octet of clear text counts any more. */
  | 'handshake'
  | 'auth'
  /** `aside` is asked and not answered: the hop has nothing to say. */
  | 'aside'
  /** `ready` is asked and not answered. */
  | 'idle'
  | 'xforward'
  | 'mail'
  | 'rcpt'
  | 'data'
  /** Content is being streamed; a reply now is an early refusal. */
  | 'content'
  | 'dot'
  | 'reset'
  /** ETRN; and ATRN or TURN, behind which this session may be over. */
  | 'start'
  | 'exchange'
  /** All is announced; only the reply to QUIT is awaited. */
  | 'quit'
  | 'closed'

interface Row {
  readonly timeout: keyof Timeouts | 'none'
  /** As it is reported. */
  readonly phase: Phase
  /** For people: "while waiting for ...". */
  readonly awaited: string
}

/** One row for each state; the compiler keeps it whole. */
export const states: Readonly<Record<State, Row>> = {
  greeting: { timeout: 'greetingMs', phase: 'greeting', awaited: 'the greeting' },
  hello: { timeout: 'commandMs', phase: 'hello', awaited: 'the reply to EHLO' },
  starttls: { timeout: 'commandMs', phase: 'tls', awaited: 'the reply to STARTTLS' },
  handshake: { timeout: 'tlsMs', phase: 'tls', awaited: 'the TLS handshake' },
  auth: { timeout: 'commandMs', phase: 'auth', awaited: 'the reply to AUTH' },
  aside: { timeout: 'none', phase: 'auth', awaited: 'a step of the login' },
  idle: { timeout: 'none', phase: 'idle', awaited: 'nothing' },
  xforward: { timeout: 'commandMs', phase: 'mail', awaited: 'the reply to XFORWARD' },
  mail: { timeout: 'commandMs', phase: 'mail', awaited: 'the reply to MAIL' },
  rcpt: { timeout: 'commandMs', phase: 'rcpt', awaited: 'the reply to RCPT' },
  data: { timeout: 'dataMs', phase: 'data', awaited: 'the reply to DATA' },
  content: { timeout: 'blockMs', phase: 'content', awaited: 'the content to be taken' },
  dot: { timeout: 'finalMs', phase: 'dot', awaited: 'the reply to the end of the message' },
  reset: { timeout: 'commandMs', phase: 'idle', awaited: 'the reply to RSET' },
  start: { timeout: 'commandMs', phase: 'idle', awaited: 'the reply to ETRN' },
  exchange: { timeout: 'exchangeMs', phase: 'idle', awaited: 'the reply to ATRN or TURN' },
  quit: { timeout: 'quitMs', phase: 'idle', awaited: 'the reply to QUIT' },
  closed: { timeout: 'none', phase: 'idle', awaited: 'nothing' },
}
