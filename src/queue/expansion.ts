/**
 * From the recipients of an envelope to the final recipients of the queue: aliases expanded, loops
 * and duplicates collapsed, NOTIFY handed down as RFC 3461 §5.2.7 says.
 */
import { addressKey } from '../account/address.ts'
import type { Directory } from '../account/directory.ts'
import { type Expansion, expand, expandCached, type Final } from '../account/expand.ts'
import { type Address, formatAddress } from '../mail/address.ts'
import { formatCarriedRecipient } from '../mail/carried.ts'
import type { Notify, Recipient } from '../mail/envelope.ts'
import { eitherNotify, formatNotify } from '../mail/notify.ts'

/** A final recipient, after aliases. */
export interface FinalRecipient {
  readonly address: string
  readonly domain: string
  readonly notify: string | null
  readonly originalRecipient: string | null
  /** The accepted address, where an alias led here. */
  readonly aliasOf: string | null
  /** Further parameters of RCPT (mail/carried.ts). */
  readonly parameters?: string | null
  /** The alias itself, which has a settled row of its own. */
  readonly expanded?: boolean
}

/**
 * The final recipients, an `expanded` row for each alias with several targets among them; at once where the
 * directory knows them all by heart.
 *
 * @param tracked whether the sender may ask what becomes of it (MTRK): where one becomes several, that ends here
 */
export function expandRecipients(
  directory: Directory,
  recipients: readonly Recipient[],
  tracked = false,
): FinalRecipient[] | Promise<FinalRecipient[]> {
  const known: Expansion[] = []
  for (const { forwardPath } of recipients) {
    const expansion = expandCached(directory, forwardPath)
    if (expansion === undefined) return expandAll(directory, recipients, tracked)
    known.push(expansion)
  }
  return rowsOf(recipients, known, tracked)
}

async function expandAll(
  directory: Directory,
  recipients: readonly Recipient[],
  tracked: boolean,
): Promise<FinalRecipient[]> {
  const found: Expansion[] = []
  for (const { forwardPath } of recipients) {
    found.push(expandCached(directory, forwardPath) ?? (await expand(directory, forwardPath)))
  }
  return rowsOf(recipients, found, tracked)
}

function rowsOf(
  recipients: readonly Recipient[],
  expansions: readonly Expansion[],
  tracked: boolean,
): FinalRecipient[] {
  const [only, another] = recipients
  const [expansion] = expansions
  if (only && expansion && !another) {
    const [final, more] = finalsOf(only, expansion)
    // One recipient that stands for one: there is nothing to collapse.
    if (final && !more) return [rowOf(only, final.address, final.aliasOf)]
  }
  const finals = new Map<string, FinalRecipient>()
  for (const [at, recipient] of recipients.entries()) {
    const { forwardPath } = recipient
    const found = finalsOf(recipient, expansions[at] as Expansion)
    const several = found.length > 1
    if (several)
      add(finals, `alias ${addressKey(forwardPath)}`, {
        ...rowOf(recipient, forwardPath),
        expanded: true,
      })
    for (const { address, aliasOf } of found) {
      const notify = several ? withoutSuccess(recipient.notify) : recipient.notify
      add(
        finals,
        addressKey(address),
        rowOf(
          {
            ...recipient,
            ...(notify ? { notify } : {}),
            ...(several && tracked ? { unmarked: true } : {}),
          },
          address,
          aliasOf,
        ),
      )
    }
  }
  return [...finals.values()]
}

/** What has vanished since RCPT keeps its row: it fails visibly, and the sender is told. */
function finalsOf({ forwardPath }: Recipient, expansion: Expansion) {
  const gone: Pick<Final, 'address' | 'aliasOf'> = { address: forwardPath }
  return expansion.kind === 'finals' ? expansion.finals : [gone]
}

/** Who is named twice gets the message once, as he was named himself, and all is told that either way asked for. */
function add(finals: Map<string, FinalRecipient>, key: string, row: FinalRecipient): void {
  const before = finals.get(key)
  if (before === undefined) {
    finals.set(key, row)
    return
  }
  const named = before.aliasOf !== null && row.aliasOf === null ? row : before
  finals.set(key, { ...named, notify: eitherNotify(before.notify, row.notify) })
}

function rowOf(recipient: Recipient, address: Address, aliasOf?: Address): FinalRecipient {
  const original = recipient.originalRecipient
  return {
    address: formatAddress(address),
    domain: address.domain,
    notify: formatNotify(recipient.notify),
    originalRecipient: original
      ? `${original.type};${original.address}`
      : aliasOf
        ? `rfc822;${formatAddress(recipient.forwardPath)}`
        : null,
    aliasOf: aliasOf ? formatAddress(aliasOf) : null,
    parameters: formatCarriedRecipient(aliasOf ? behindAlias(recipient) : recipient),
  }
}

/** An alias has answered for its own owner; of those behind it the sender knows nothing (RFC 7293 §8.2). */
function behindAlias(recipient: Recipient): Recipient {
  if (recipient.validSince === undefined) return recipient
  const { validSince: _answered, ...rest } = recipient
  return rest
}

/** The `expanded` notice answers the wish for success; the copies carry it no further. */
function withoutSuccess(notify: Notify | undefined): Notify | undefined {
  if (notify === undefined || notify === 'NEVER') return notify
  const rest = notify.filter(word => word !== 'SUCCESS')
  return rest.length > 0 ? rest : 'NEVER'
}
