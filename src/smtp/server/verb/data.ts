/** DATA (RFC 5321 §4.1.1.4): the content, dotted (§4.5.2), up to CRLF.CRLF and nothing else. */
import { replies } from '../../replies.ts'
import type { Conversation } from '../conversation.ts'
import { Incoming } from '../incoming.ts'
import { ask, type Turn } from '../turn.ts'
import { accept, refuseContent } from './accept.ts'

export function* data(conversation: Conversation): Turn {
  const { peer, envelope } = conversation
  const recipients = envelope.recipients.length
  if (envelope.sender.body === 'BINARYMIME') {
    conversation.reply(replies.binaryNeedsBdat)
    return
  }
  const verdict = yield* ask(conversation, { kind: 'data', peer, envelope })
  if (verdict.kind !== 'accept') {
    conversation.refuse(verdict)
    conversation.abandon()
    conversation.conclude()
    return
  }
  const incoming = new Incoming(conversation)
  conversation.incoming = incoming
  const { resumedAt } = conversation.transaction ?? {}
  conversation.reply(resumedAt === undefined ? replies.startInput : replies.resumeInput(resumedAt))
  yield 'content'
  if (incoming.fault === undefined) {
    yield* accept(conversation, incoming.sizeOctets, incoming.plain)
    return
  }
  conversation.conclude()
  refuseContent(conversation, incoming.fault, recipients)
  // What stands behind a lone CR or LF may be a message smuggled in: it is never read.
  if (incoming.fault === replies.bareLineEnd) conversation.close()
}
