/**
 * What the phases of a client dialogue are written with. A phase is a generator that reads as its
 * RFC section does: it says something, yields what it then waits for, and is resumed with the
 * reply. It never sees a lost connection, a timeout, a 421 or a reply out of protocol: session.ts
 * ends the phase then, and tells what became of the message.
 */
import type { Reply } from '../../mail/status.ts'
import type { Lent, Source, TlsFacts, Transform } from '../../wire/effect.ts'
import type { AsideAnswer, AsideStep } from '../../world/aside.ts'
import type { Allowance } from './allowance.ts'
import type { Dialogue } from './dialogue.ts'
import type { ClientSettings, HopFacts, Trouble } from './question.ts'
import type { State } from './state.ts'

export type Script<T> = Generator<State, T, Reply>

/** The connection as the phases see and change it. */
export interface Talk {
  readonly settings: ClientSettings
  readonly dialogue: Dialogue
  greeting: string
  extensions: ReadonlyMap<string, string>
  tls: TlsFacts | undefined
  login: string | undefined
  readonly allowance: Allowance
  /** Sends text with its CRLF; `shown` stands in its place in the dialogue. */
  say(text: string, shown?: string): void
  stream(source: Source | Lent, transform: Transform): void
  /** Octets of content have left: the deadline for the next block begins. */
  progress(): void
  /** What ends the message leaves next. */
  ended(): void
  /** What ends the message has been said: the next one may be begun behind it. */
  follow(): void
  /** Asks for a step of a login that the session does not do, and gives the answer where there is one at once. */
  askAside(step: AsideStep): AsideAnswer | undefined
  /** The last answer to that. */
  readonly aside: AsideAnswer | undefined
  /** Ends the connection from our side; the phase is not resumed. */
  abandon(status: string, reason: string): void
}

/** Whether the hop offers an extension that we were not told to do without (hello.ts). */
export function offers(talk: Talk, keyword: string): boolean {
  return talk.extensions.has(keyword)
}

/** What is known of the hop once it is ready. */
export function factsOf({ greeting, extensions, tls, login }: Talk): HopFacts {
  return { greeting, extensions, ...(tls && { tls }), ...(login !== undefined && { login }) }
}

/** The end of the connection, in silence or by a reply that ends it (421), and whether the host may do better at once. */
export function lossOf(
  talk: Talk,
  trouble: Trouble,
  { reply, grouped }: { readonly reply: Reply | undefined; readonly grouped: boolean },
): Trouble {
  if (reply !== undefined) return { ...trouble, reply }
  const { phase } = trouble
  // The first of a group was answered and the others were not: they may have been thrown away unread.
  const unread = (phase === 'rcpt' || phase === 'data') && offers(talk, 'PIPELINING')
  return { ...trouble, ...(unread && { again: 'stepwise' }), ...(grouped && { grouped }) }
}

/** 250, 354, 220: the kind of a reply by its first digit (RFC 5321 §4.2.1). */
export function classOf(reply: Reply): number {
  return Math.floor(reply.code / 100)
}

/**
 * The enhanced code that stands for a reply: its own where it gave one, else the most general of
 * its class, since the code of a reply without one says nothing more (RFC 3463 §3.1).
 */
export function statusOf(reply: Reply, detail = '0.0'): string {
  return `${classOf(reply)}.${reply.detail ?? detail}`
}

/** A reply as one line of text, for reasons. */
export function replyText(reply: Reply): string {
  const status = reply.detail === undefined ? '' : ` ${classOf(reply)}.${reply.detail}`
  const text = reply.lines.join(' ').trim().slice(0, 500)
  return `${reply.code}${status}${text === '' ? '' : ` ${text}`}`
}

/** Trouble that a reply makes: for good where it is 5yz, for now where it is anything else. */
export function refused(
  phase: Trouble['phase'],
  what: string,
  reply: Reply,
  detail?: string,
): Trouble {
  const permanent = classOf(reply) === 5
  return {
    kind: permanent ? 'failed' : 'deferred',
    phase,
    status: permanent || classOf(reply) === 4 ? statusOf(reply, detail) : '4.5.0',
    reason: `${what}: ${replyText(reply)}`,
    reply,
  }
}
