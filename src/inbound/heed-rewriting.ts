/**
 * The addresses of a submitted message under the rules of `rewrite` (transit/rewriting.ts): its reverse-path,
 * and the fields that name people. A field in which nothing changes stays octet for octet; one that no
 * reader understands is left alone. Called by heed.ts; for recipients of the envelope see meant.ts.
 */
import { formatAddress } from '../mail/address.ts'
import type { Envelope, Sender } from '../mail/envelope.ts'
import {
  formatAddressList,
  type Group,
  type Mailbox,
  parseAddressList,
} from '../message/address-list.ts'
import { type Amended, amend, asItCame } from '../message/amend.ts'
import { formatField } from '../message/field.ts'
import type { Field, Header } from '../message/header.ts'
import { type Rewriting, rewriteAddress } from '../transit/rewriting.ts'

/** RFC 5322 §3.6.2, §3.6.3, §3.6.6: fields with addresses, and whose. */
const FIELDS: Readonly<Record<string, readonly ['sender' | 'recipient', string]>> = {
  from: ['sender', 'From'],
  sender: ['sender', 'Sender'],
  'reply-to': ['sender', 'Reply-To'],
  'resent-from': ['sender', 'Resent-From'],
  'resent-sender': ['sender', 'Resent-Sender'],
  to: ['recipient', 'To'],
  cc: ['recipient', 'Cc'],
  'resent-to': ['recipient', 'Resent-To'],
  'resent-cc': ['recipient', 'Resent-Cc'],
}

export interface RewrittenMessage {
  readonly envelope: Envelope
  /** Absent where no field changes. */
  readonly written?: Amended
}

export function rewrittenSender(rules: Rewriting | undefined, sender: Sender): Sender {
  if (rules === undefined || sender.reversePath === null) return sender
  const place = { side: 'sender', part: 'envelope' } as const
  const { address, steps } = rewriteAddress(rules, place, sender.reversePath)
  return steps.length === 0 ? sender : { ...sender, reversePath: address }
}

export function heedRewriting(
  envelope: Envelope,
  header: Header,
  rules: Rewriting,
): RewrittenMessage {
  const changes = new Map<Field, readonly string[]>()
  for (const field of rules.header ? header.fields : []) {
    const text = written(rules, header, field)
    if (text !== undefined) changes.set(field, [text])
  }
  const sender = recorded(
    envelope.sender,
    rewrittenSender(rules, envelope.sender),
    [...changes.keys()].map(field => field.name),
  )
  const rewritten = { envelope: { ...envelope, sender } }
  if (changes.size === 0) return rewritten
  return { ...rewritten, written: amend(asItCame(header), changes) }
}

/** The sender, with what was changed for whoever asks about the message later; the first that was said counts. */
export function recorded(before: Sender, sender: Sender, names: readonly string[]): Sender {
  const { reversePath } = before
  const moved =
    sender === before || reversePath === null ? {} : { reversePath: formatAddress(reversePath) }
  const all = [...(sender.rewritten?.fields ?? []), ...names]
  const fields = all.length === 0 ? {} : { fields: [...new Set(all)] }
  const rewritten = { ...moved, ...sender.rewritten, ...fields }
  return Object.keys(rewritten).length === 0 ? sender : { ...sender, rewritten }
}

/** A field as it is to be, where that is not as it is. */
function written(rules: Rewriting, header: Header, field: Field): string | undefined {
  const known = Object.hasOwn(FIELDS, field.name) ? FIELDS[field.name] : undefined
  if (known === undefined) return undefined
  const [side, name] = known
  const { entries, fault } = parseAddressList(header.text(field))
  if (fault !== undefined) return undefined
  let changed = false
  const rewrite = (mailbox: Mailbox): Mailbox => {
    const { address, steps } = rewriteAddress(rules, { side, part: 'header' }, mailbox.address)
    if (steps.length === 0) return mailbox
    changed = true
    return { ...mailbox, address }
  }
  const list = entries.map((entry: Mailbox | Group) =>
    'members' in entry ? { ...entry, members: entry.members.map(rewrite) } : rewrite(entry),
  )
  return changed ? formatField(name, formatAddressList(list)) : undefined
}
