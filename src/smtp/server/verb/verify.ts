/** VRFY and EXPN (RFC 5321 §3.5, §4.1.1.6, §4.1.1.7), with the SMTPUTF8 parameter of RFC 6531 §3.7.4.2. */
import { isAscii } from '../../../mail/address.ts'
import { foldText, replies } from '../../replies.ts'
import type { Conversation } from '../conversation.ts'
import { ask, type Turn } from '../turn.ts'

export const vrfy = (conversation: Conversation, argument: string) =>
  lookUp(conversation, argument, 'verify')
export const expn = (conversation: Conversation, argument: string) =>
  lookUp(conversation, argument, 'expand')

function* lookUp(conversation: Conversation, argument: string, kind: 'verify' | 'expand'): Turn {
  if (kind === 'expand' && !conversation.dialect.keywords.has('EXPN')) {
    conversation.reply(replies.cannotExpand)
    return
  }
  const utf8 = / SMTPUTF8$/i.test(argument)
  const text = utf8 ? argument.slice(0, -' SMTPUTF8'.length).trimEnd() : argument
  if (!utf8 && !isAscii(text)) {
    conversation.reply(replies.needsUtf8)
    return
  }
  const verdict = yield* ask(conversation, { kind, peer: conversation.peer, text })
  if (verdict.kind !== 'accept') conversation.refuse(verdict)
  else if (verdict.text === undefined || verdict.text === '') {
    conversation.reply(replies.cannotVerify)
  } else if (!utf8 && !isAscii(verdict.text)) {
    conversation.reply(replies.needsUtf8Reply)
  } else {
    // §3.5.1: one line for each mailbox.
    const lines = verdict.text.split('\n').flatMap(line => foldText(line.trim(), utf8))
    conversation.reply(replies.verified(lines))
  }
}
