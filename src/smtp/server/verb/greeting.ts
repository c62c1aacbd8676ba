/** The greeting (RFC 5321 §3.1): what the server says first, or why it will not talk. */
import { greetingRefusal, replies } from '../../replies.ts'
import type { Conversation } from '../conversation.ts'
import { ask, type Turn } from '../turn.ts'

export function* greeting(conversation: Conversation): Turn {
  const { hostname, protocol, banner } = conversation.settings
  const verdict = yield* ask(conversation, { kind: 'connect', peer: conversation.peer })
  if (verdict.kind === 'accept') {
    conversation.reply(replies.greeting(hostname, protocol, banner))
    return
  }
  const refusal = greetingRefusal(verdict, hostname)
  if (refusal.code === 554) conversation.bar(refusal)
  else conversation.close(refusal)
}
