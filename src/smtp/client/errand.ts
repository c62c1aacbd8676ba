/**
 * ETRN (RFC 1985 §5), ATRN (RFC 2645 §5.2.1) and TURN (RFC 821 §3.8), the customer's side. Run by session.ts
 * where `ready` is answered with an errand. That nothing crosses an exchange of roles is session.ts's part: it
 * sees the buffer.
 */
import type { Reply } from '../../mail/status.ts'
import type { Errand } from './question.ts'
import type { Script, Talk } from './talk.ts'

/** What the hop said; undefined where the errand cannot be written as a command. */
export function* errand(talk: Talk, what: Errand): Script<Reply> {
  const command = commandOf(what)
  // A name comes from a config or a command line; none of them may end a line or begin another word.
  if (/[^!-~]/.test(command.replace(' ', ''))) {
    return { code: 501, detail: '5.4', lines: ['the domains cannot be written in a command'] }
  }
  talk.say(`${command}\r\n`)
  return yield what.kind
}

function commandOf(what: Errand): string {
  if (what.kind === 'start') return `ETRN ${what.node}`
  return what.domains.length === 0 ? what.verb : `${what.verb} ${what.domains.join(',')}`
}
