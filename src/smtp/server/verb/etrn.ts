/**
 * ETRN (RFC 1985 §5): asks that what waits for a node be sent now. It starts a delivery and waits for
 * none: the mail goes to the node's own host, never over this connection.
 */
import { parseDomain, parseLiteral } from '../../domain.ts'
import { replies } from '../../replies.ts'
import type { Conversation } from '../conversation.ts'
import type { Node } from '../question.ts'
import { askStart, type Turn } from '../turn.ts'

export function* etrn(conversation: Conversation, argument: string): Turn {
  const node = parseNode(argument)
  if (node === undefined) {
    conversation.reply(replies.etrnSyntax)
    return
  }
  const answer = yield* askStart(conversation, node)
  if (answer.kind === 'accept') conversation.reply(replies.queuingStarted(node.text))
  else if (answer.kind !== 'pending') conversation.refuse(answer)
  else if (answer.underWay) conversation.reply(replies.underWay(node.text))
  else if (answer.messages === 0) conversation.reply(replies.nothingWaits(node.text))
  else conversation.reply(replies.pendingStarted(node.text, answer.messages))
}

/** A queue has a name of the site's own (RFC 1985 §5.3): anything printable, within bounds. */
const QUEUE = /^[!-~]{1,255}$/

/**
 *     ETRN SP [option-character] node-name      ; option-character = "@" / "#"  (RFC 1985 §5)
 */
function parseNode(argument: string): Node | undefined {
  const option = argument.startsWith('@') ? 'subdomains' : argument.startsWith('#') ? 'queue' : ''
  const name = option === '' ? argument : argument.slice(1)
  if (option === 'queue') {
    return QUEUE.test(name) ? { kind: 'queue', name, text: argument } : undefined
  }
  const parsed = name.startsWith('[') ? parseLiteral(name, 0) : parseDomain(name, 0)
  if (parsed === undefined || parsed.next !== name.length) return undefined
  return { kind: option === '' ? 'domain' : option, name: parsed.text, text: argument }
}
