/** The verbs that only talk: RSET, NOOP and QUIT (RFC 5321 §4.1.1.5, §4.1.1.9, §4.1.1.10). */
import { replies } from '../../replies.ts'
import type { Conversation } from '../conversation.ts'
import { after } from '../state.ts'

/** RSET forgets the transaction, and nothing else: hello, TLS and login stay. */
export function rset(conversation: Conversation): void {
  const next = after(conversation.state, 'RSET')
  conversation.abandon()
  conversation.conclude()
  conversation.state = next
  conversation.reply(replies.ok)
}

export function noop(conversation: Conversation): void {
  conversation.reply(replies.ok)
}

export function quit(conversation: Conversation): void {
  conversation.close(replies.bye(conversation.settings.hostname))
}
