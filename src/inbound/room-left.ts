/**
 * Whether a mailbox here has room for a message (RFC 5321 §4.2.3: 452, 552; RFC 3463 X.2.2): asked at RCPT with the
 * size that MAIL has declared, and at the end of the content with the true one. An alias of several is not
 * asked about: those behind it are, when they are delivered to. Where nobody has a limit nothing is read.
 */
import { expandCached } from '../account/expand.ts'
import { roomFor } from '../account/quota.ts'
import { type Address, formatAddress } from '../mail/address.ts'
import type { Recipient } from '../mail/envelope.ts'
import { accept, defer, refuse, type Verdict } from '../mail/verdict.ts'
import type { Later } from '../smtp/server/question.ts'
import type { Inbound } from './role.ts'
import { judgeTenure } from './valid-since.ts'

/** At RCPT: whether it is still the mailbox that is meant (RFC 7293), and has room. */
export function judgeMailbox(
  inbound: Pick<Inbound, 'directory' | 'usage'>,
  recipient: Recipient,
  sizeOctets: number,
): Later<Verdict> {
  const { forwardPath, validSince } = recipient
  if (validSince === undefined) return judgeRoom(inbound, forwardPath, sizeOctets)
  return judgeTenure(inbound.directory, recipient).then(held =>
    held.kind === 'accept' ? judgeRoom(inbound, forwardPath, sizeOctets) : held,
  )
}

export function judgeRoom(
  { directory, usage }: Pick<Inbound, 'directory' | 'usage'>,
  address: Address,
  sizeOctets: number,
): Later<Verdict> {
  const found = expandCached(directory, address)
  if (found?.kind !== 'finals' || found.finals.length !== 1) return accept()
  const [final] = found.finals
  if (final?.accountId === undefined || final.limit === undefined) return accept()
  const { limit, accountId } = final
  const name = formatAddress(address)
  return usage(accountId).then(used => {
    switch (roomFor(limit, used, { octets: sizeOctets, messages: 1 })) {
      case 'room':
        return accept()
      case 'full':
        return defer(452, '2.2', `${name}: mailbox is full`)
      case 'never':
        return refuse(552, '2.2', `${name}: the message is larger than the whole mailbox may be`)
    }
  })
}

/**
 * Of a message for several, at its end: refused where there is room for it in none of their mailboxes. One
 * that was let in at RCPT gets it where another does, since there is one reply for all.
 */
export function judgeRooms(
  inbound: Pick<Inbound, 'directory' | 'usage'>,
  recipients: readonly Recipient[],
  sizeOctets: number,
): Later<Verdict> {
  const verdicts: Promise<Verdict>[] = []
  for (const { forwardPath } of recipients) {
    const verdict = judgeRoom(inbound, forwardPath, sizeOctets)
    if (!(verdict instanceof Promise)) return verdict
    verdicts.push(verdict)
  }
  return Promise.all(verdicts).then(
    all =>
      all.find(({ kind }) => kind === 'accept') ??
      all.find(({ kind }) => kind === 'defer') ??
      all[0] ??
      accept(),
  )
}
