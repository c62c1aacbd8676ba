/**
 * The end of a message, whichever verb brought it (RFC 5321 §4.1.1.4): asks policy to take
 * the responsibility and says so. LMTP answers once for each recipient (RFC 2033 §4.2).
 */
import type { Reply } from '../../../mail/status.ts'
import { replies } from '../../replies.ts'
import type { Conversation } from '../conversation.ts'
import { askEach, type Turn } from '../turn.ts'

export function* accept(conversation: Conversation, sizeOctets: number, plain = false): Turn {
  const { peer, envelope } = conversation
  const count = replyCount(conversation, envelope.recipients.length)
  const question = { kind: 'accept', peer, envelope, sizeOctets, plain } as const
  const verdicts = yield* askEach(conversation, question)
  // From here on policy has answered for the message: there is nothing left to abandon.
  const { sender } = envelope
  conversation.conclude()
  for (let i = 0; i < count && !conversation.closed; i++) {
    const verdict = conversation.verdictOr(verdicts[i])
    if (verdict.kind === 'accept')
      conversation.reply(replies.accepted(verdict.text, sender.utf8, verdict.detail))
    else conversation.refuse(verdict)
  }
}

/** Refuses the whole message, after its end, as often as the dialect wants a reply. */
export function refuseContent(conversation: Conversation, reply: Reply, recipients: number): void {
  for (let i = replyCount(conversation, recipients); i > 0; i--) conversation.reply(reply)
}

function replyCount(conversation: Conversation, recipients: number): number {
  return conversation.settings.protocol === 'lmtp' ? recipients : 1
}
