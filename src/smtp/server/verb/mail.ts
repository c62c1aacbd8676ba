/** MAIL (RFC 5321 §4.1.1.2): opens a transaction. */
import { formatPath } from '../../../mail/address.ts'
import type { Sender } from '../../../mail/envelope.ts'
import type { Reply } from '../../../mail/status.ts'
import type { Draft, ParameterContext } from '../../extension/extension.ts'
import { parseParameters } from '../../parameter.ts'
import { parseReversePath } from '../../path.ts'
import { replies } from '../../replies.ts'
import type { Conversation } from '../conversation.ts'
import { after } from '../state.ts'
import { ask, type Turn } from '../turn.ts'

export function* mail(conversation: Conversation, argument: string): Turn {
  const { settings } = conversation
  const parsed = parseMail(conversation, argument)
  if ('code' in parsed) {
    conversation.reply(parsed)
    return
  }
  const { sender, reply } = parsed
  if (settings.transactionsMax > 0 && conversation.transactions >= settings.transactionsMax) {
    conversation.close(replies.tooManyTransactions(settings.hostname))
    return
  }
  const verdict = yield* ask(conversation, { kind: 'mail', peer: conversation.peer, sender })
  if (verdict.kind !== 'accept') {
    conversation.refuse(verdict)
    return
  }
  conversation.transactions += 1
  conversation.state = after(conversation.state, 'MAIL')
  const { resume } = verdict
  if (resume === undefined) {
    conversation.transaction = { sender, recipients: [] }
    conversation.reply(reply)
    return
  }
  // RFC 1845 §3: the context of the interruption is there again, and DATA may follow at once.
  const recipients = [...resume.recipients]
  const resumedPaths = new Set(recipients.map(({ forwardPath }) => formatPath(forwardPath)))
  conversation.transaction = { sender, recipients, resumedAt: resume.octets, resumedPaths }
  if (recipients.length > 0) conversation.state = after(conversation.state, 'RCPT')
  conversation.reply(replies.resumed(resume.octets))
}

/** A MAIL in order, and what is said where policy takes it. */
interface Parsed {
  readonly sender: Sender
  readonly reply: Reply
}

/** `MAIL FROM:` Reverse-path [SP Mail-parameters]; a space before the path is common in the field. */
function parseMail(conversation: Conversation, argument: string): Parsed | Reply {
  const found = /^FROM: */i.exec(argument)
  if (found === null) return replies.mailSyntax
  const path = parseReversePath(argument, found[0].length)
  if (!path.ok) return replies.badSender(path.why)
  const parameters = parseParameters(argument, path.next)
  if (typeof parameters === 'string') return replies.badParameters(parameters)
  const sender: Draft<Sender> = { reversePath: path.address, body: '7BIT', utf8: false }
  for (const { keyword, value } of parameters) {
    const rule = conversation.dialect.mail.get(keyword)
    if (rule === undefined) return replies.unknownParameter(keyword)
    const refused = rule(value, sender, contextOf(conversation, sender.utf8))
    if (refused !== undefined) return refused
  }
  if (!path.ascii && !sender.utf8) return replies.needsUtf8
  return parameters.length === 0
    ? { sender, reply: replies.senderOk }
    : judged(conversation, sender)
}

/** What the extensions say of the parameters together. */
function judged(conversation: Conversation, sender: Draft<Sender>): Parsed | Reply {
  let reply: Reply = replies.senderOk
  for (const rule of conversation.dialect.whole) {
    const said = rule(sender, contextOf(conversation, sender.utf8))
    if (said === undefined) continue
    if (said.code !== 250) return said
    reply = said
  }
  return { sender, reply }
}

/** What parameters may depend on. */
export function contextOf(
  { settings, peer: { tls } }: Conversation,
  utf8: boolean,
): ParameterContext {
  return { settings, utf8, tls: tls !== undefined }
}
