/**
 * Mail that comes round again (RFC 5321 §6.3): a message that a mailbox or an alias here has had before says so in
 * a `Delivered-To:` of ours (RFC 9228), which stands before what every alias sends on elsewhere, too. Asked by
 * reception.ts once the header is here; what loses those fields on its way is stopped by counting `Received:`.
 */
import { addressKey } from '../account/address.ts'
import { hadBefore, LOOP } from '../delivery/had-before.ts'
import { formatAddress } from '../mail/address.ts'
import type { Recipient } from '../mail/envelope.ts'
import { hopCount } from '../mail/trace.ts'
import { accept, refuse, type Verdict } from '../mail/verdict.ts'
import type { Header } from '../message/header.ts'
import type { Refusal } from './role.ts'

/** Whether a message has passed no more hosts than it may. */
export function judgeHops(header: Header, hopsMax: number): Verdict {
  if (hopCount(header) <= hopsMax) return accept()
  return refuse(554, '4.6', `more than ${hopsMax} Received fields: the message is in a loop`)
}

/** The recipients, those marked that have had the message before; or a refusal where all have. */
export function stopLoops(
  header: Header,
  recipients: readonly Recipient[],
): readonly Recipient[] | Refusal {
  const before = hadBefore(header)
  if (before.size === 0) return recipients
  const marked = recipients.map(recipient =>
    before.has(addressKey(recipient.forwardPath))
      ? { ...recipient, looped: true as const }
      : recipient,
  )
  const looped = marked.filter(recipient => 'looped' in recipient)
  const [first] = looped
  if (first === undefined) return recipients
  if (looped.length < marked.length) return marked
  const name = formatAddress(first.forwardPath)
  return refuse(554, '4.6', `${name}: ${LOOP}`) as Refusal
}
