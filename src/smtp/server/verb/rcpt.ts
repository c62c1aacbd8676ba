/**
 * RCPT (RFC 5321 §4.1.1.3): names one recipient. RCPTs that arrived together (RFC 2920) are
 * asked together as one `rcpts` question, and answered in order.
 */
import { formatPath } from '../../../mail/address.ts'
import type { Recipient } from '../../../mail/envelope.ts'
import type { Reply } from '../../../mail/status.ts'
import type { Verdict } from '../../../mail/verdict.ts'
import type { Draft } from '../../extension/extension.ts'
import { parseParameters } from '../../parameter.ts'
import { parseForwardPath } from '../../path.ts'
import { replies } from '../../replies.ts'
import type { Conversation, Transaction } from '../conversation.ts'
import { after } from '../state.ts'
import { askEach, type Turn } from '../turn.ts'
import { contextOf } from './mail.ts'

export function* rcpt(conversation: Conversation, argument: string): Turn {
  const transaction = conversation.transaction as Transaction
  const parsed = parseGroup(conversation, argument)
  const asked = parsed.filter(each => 'forwardPath' in each)
  let verdicts: readonly Verdict[] = []
  if (asked.length > 0) {
    verdicts = yield* askEach(conversation, {
      kind: 'rcpts',
      peer: conversation.peer,
      envelope: conversation.envelope,
      recipients: asked,
    })
  }
  let next = 0
  for (const each of parsed) {
    // A 421, or the last error of too many, ends the session: the rest needs no answer.
    if (conversation.closed || conversation.erroneous) return
    if (!('forwardPath' in each)) {
      conversation.reply(each)
      continue
    }
    const verdict = conversation.verdictOr(verdicts[next++])
    // Who was refused takes no place, in a group as little as one by one (§4.5.3.1.10).
    if (transaction.recipients.length >= conversation.settings.recipientsMax) {
      conversation.reply(replies.tooManyRecipients)
    } else if (verdict.kind === 'accept') {
      transaction.recipients.push(each)
      conversation.state = after(conversation.state, 'RCPT')
      conversation.reply(replies.recipientOk)
    } else conversation.refuse(verdict)
  }
}

/** This RCPT and those behind it in the buffer; nobody is asked about where the transaction is full. */
function parseGroup(conversation: Conversation, first: string): readonly (Recipient | Reply)[] {
  const full = conversation.envelope.recipients.length >= conversation.settings.recipientsMax
  const parsed: (Recipient | Reply)[] = []
  for (
    let argument: string | Reply | undefined = first;
    argument !== undefined;
    argument = conversation.ahead.nextRcpt()
  ) {
    const one = typeof argument === 'string' ? parseRcpt(conversation, argument) : argument
    if ('code' in one) parsed.push(one)
    else if (full) parsed.push(replies.tooManyRecipients)
    else if (!admitsDomain(conversation, one)) parsed.push(replies.tooManyDomains)
    else parsed.push(one)
  }
  return parsed
}

/** RCPTDOMAINMAX (RFC 9422 §5) counts the domains of a session, whatever became of the recipient. */
function admitsDomain(conversation: Conversation, { forwardPath }: Recipient): boolean {
  const { settings } = conversation
  if (settings.recipientDomainsMax === 0) return true
  conversation.domains ??= new Set()
  const { domains } = conversation
  const domain = forwardPath.domain.toLowerCase()
  if (domains.size >= settings.recipientDomainsMax && !domains.has(domain)) return false
  domains.add(domain)
  return true
}

/** `RCPT TO:` Forward-path [SP Rcpt-parameters]. */
function parseRcpt(conversation: Conversation, argument: string): Recipient | Reply {
  const found = /^TO: */i.exec(argument)
  if (found === null) return replies.rcptSyntax
  const path = parseForwardPath(argument, found[0].length)
  if (!path.ok) return replies.badRecipient(path.why)
  if (path.address === null) return replies.badRecipient('it is null')
  if (path.routed && conversation.settings.sourceRoutes === 'refuse') return replies.sourceRoute
  const utf8 = conversation.transaction?.sender.utf8 ?? false
  if (!path.ascii && !utf8) return replies.needsUtf8
  const parameters = parseParameters(argument, path.next)
  if (typeof parameters === 'string') return replies.badParameters(parameters)
  const recipient: Draft<Recipient> = { forwardPath: path.address }
  for (const { keyword, value } of parameters) {
    const rule = conversation.dialect.rcpt.get(keyword)
    if (rule === undefined) return replies.unknownParameter(keyword)
    const refused = rule(value, recipient, contextOf(conversation, utf8))
    if (refused !== undefined) return refused
  }
  const paths = conversation.transaction?.resumedPaths
  return paths === undefined ? recipient : again(paths, recipient)
}

/** RFC 1845 §3: who goes on with a transaction may name its recipients again, and no others. */
function again(paths: ReadonlySet<string>, { forwardPath }: Recipient): Reply {
  return paths.has(formatPath(forwardPath)) ? replies.recipientOk : replies.notOfTransaction
}
