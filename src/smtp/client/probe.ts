/**
 * MAIL and RCPT without a message behind them (RFC 5321 §3.3): what a hop would say to mail that is
 * not sent. Run by session.ts where `ready` is answered with a probe. Nothing is pipelined, so that each
 * reply belongs to its command and each can be timed. Never says DATA.
 */
import type { Reply } from '../../mail/status.ts'
import type { Probe, Trouble } from './question.ts'
import { reset } from './reset.ts'
import { classOf, offers, type Script, type Talk } from './talk.ts'

export interface Probed {
  readonly mail: Reply
  readonly recipients: readonly Reply[]
  /** Set where the connection serves no more. */
  readonly trouble?: Trouble
}

const UNWRITABLE: Reply = { code: 501, detail: '1.3', lines: ['not a path that can be said'] }

/** What the hop said. A path that would end its line, or begin a parameter, is not said at all. */
export function* probe(talk: Talk, { reversePath, forwardPaths }: Probe): Script<Probed> {
  if (!isPath(reversePath)) return { mail: UNWRITABLE, recipients: [] }
  const utf8 = [reversePath, ...forwardPaths].some(path => /[^\0-\x7f]/.test(path))
  talk.say(`MAIL FROM:${reversePath}${utf8 && offers(talk, 'SMTPUTF8') ? ' SMTPUTF8' : ''}\r\n`)
  const mail = yield 'mail'
  const recipients: Reply[] = []
  if (classOf(mail) !== 2) return { mail, recipients }
  for (const path of forwardPaths) {
    if (!isPath(path)) recipients.push(UNWRITABLE)
    else {
      talk.say(`RCPT TO:${path}\r\n`)
      recipients.push(yield 'rcpt')
    }
  }
  const trouble = yield* reset(talk)
  return { mail, recipients, ...(trouble && { trouble }) }
}

function isPath(text: string): boolean {
  return /^<[^\u0000-\u001f\u007f]*>$/.test(text) && !/> /.test(text)
}
