/**
 * MAIL and RCPT as they are sent (RFC 5321 §4.1.1.2, §4.1.1.3): the address and the parameters of
 * those extensions that the hop offers. Called by transaction.ts. A command holds nothing that ends a
 * line, whatever the envelope holds (command injection).
 */
import { formatPath, isAscii } from '../../mail/address.ts'
import type { Recipient, Sender } from '../../mail/envelope.ts'
import type { Extension, FitnessRule, ParameterWriter, Unfit } from '../extension/extension.ts'
import { extensions } from '../extension/table.ts'
import { offers, type Talk } from './talk.ts'

const mailWriters = extensions.filter(each => each.writeMail !== undefined)
const rcptWriters = extensions.filter(each => each.writeRcpt !== undefined)
const mailJudges = extensions.filter(each => each.unfit !== undefined)
const rcptJudges = extensions.filter(each => each.unfitRcpt !== undefined)

/** Whether a message can go on only by SMTPUTF8 (RFC 6531 §3.2). */
export function needsUtf8(sender: Sender, recipients: readonly Recipient[]): boolean {
  if (sender.utf8 || !isAscii(formatPath(sender.reversePath))) return true
  return recipients.some(recipient => !isAscii(formatPath(recipient.forwardPath)))
}

/**
 * `MAIL FROM:<...>` with its parameters and CRLF; undefined where the envelope holds what no
 * command can.
 */
export function mailCommand(
  talk: Talk,
  sender: Sender,
  sizeOctets: number,
  utf8: boolean,
): string | undefined {
  let command = `MAIL FROM:${formatPath(sender.reversePath)}`
  const facts = factsOf(talk, sizeOctets, utf8)
  for (const each of mailWriters) command += parameter(talk, each, each.writeMail, sender, facts)
  return line(command)
}

/** `RCPT TO:<...>` likewise. */
export function rcptCommand(talk: Talk, recipient: Recipient, utf8: boolean): string | undefined {
  let command = `RCPT TO:${formatPath(recipient.forwardPath)}`
  const facts = factsOf(talk, 0, utf8)
  for (const each of rcptWriters) command += parameter(talk, each, each.writeRcpt, recipient, facts)
  return line(command)
}

/** Why the message may not go by this hop, as an extension has it; undefined where it may. */
export function unfit(talk: Talk, sender: Sender): Unfit | undefined {
  for (const each of mailJudges) {
    const found = judge(talk, each, each.unfit, sender)
    if (found !== undefined) return found
  }
  return undefined
}

/** Why one recipient may not. */
export function unfitRcpt(talk: Talk, recipient: Recipient): Unfit | undefined {
  for (const each of rcptJudges) {
    const found = judge(talk, each, each.unfitRcpt, recipient)
    if (found !== undefined) return found
  }
  return undefined
}

function judge<T>(
  talk: Talk,
  { keyword }: Extension,
  rule: FitnessRule<T> | undefined,
  part: T,
): Unfit | undefined {
  const offered = offers(talk, keyword) ? (talk.extensions.get(keyword) ?? '') : undefined
  return rule?.(part, offered, talk.settings.now, talk.tls)
}

/** What one extension adds, where the hop offers it. */
function parameter<T>(
  talk: Talk,
  { keyword }: Extension,
  write: ParameterWriter<T> | undefined,
  part: T,
  facts: ReturnType<typeof factsOf>,
): string {
  if (write === undefined || !offers(talk, keyword)) return ''
  return write(part, { ...facts, offered: talk.extensions.get(keyword) ?? '' })
}

/** What a parameter may depend on, the same for all of a command. */
function factsOf(talk: Talk, sizeOctets: number, utf8: boolean) {
  const hopOffers = (other: string) => offers(talk, other)
  return { sizeOctets, utf8, hopOffers, login: talk.login, now: talk.settings.now }
}

function line(command: string): string | undefined {
  return /[\u0000-\u001f\u007f]/.test(command) ? undefined : `${command}\r\n`
}
