/**
 * STARTTLS (RFC 3207 §4). What was pipelined behind it is thrown away by the session, unread: an
 * attacker may have put it there (CVE-2011-0411). After TLS the client must start over.
 */
import { replies } from '../../replies.ts'
import type { Conversation } from '../conversation.ts'
import type { Turn } from '../turn.ts'

export function* starttls(conversation: Conversation): Turn {
  if (conversation.peer.tls !== undefined) {
    conversation.reply(replies.alreadySecured)
    return
  }
  conversation.abandon()
  conversation.conclude()
  conversation.reply(replies.readyForTls)
  yield 'tls'
}
