/**
 * The submission role (MSA, RFC 6409): mail from users who have logged in. It relays anywhere,
 * completes the header, and lets nobody write under a name that is not his.
 */
import { mayUse } from '../account/expand.ts'
import type { Exceeded } from '../limit/outgoing.ts'
import { type Address, formatAddress, parseStoredAddress } from '../mail/address.ts'
import type { Envelope } from '../mail/envelope.ts'
import { accept, refuse, type Verdict } from '../mail/verdict.ts'
import { authorsOf, headerFault, missingFields } from '../message/complete.ts'
import type { Header } from '../message/header.ts'
import type { Identity } from '../queue/id.ts'
import type { Account } from '../sasl/mechanism.ts'
import type { Later, Peer } from '../smtp/server/question.ts'
import { judgeRecipient } from './recipient.ts'
import type { Completion, Inbound, Refusal, Role } from './role.ts'

const LOGIN_FIRST = refuse(530, '7.0', 'authentication required')

/**
 * Fields that a message does not leave with: whom it goes to unseen (RFC 5322 §3.6.3), and what only
 * the last host may write (RFC 5321 §4.4).
 */
export const NOT_SENT = ['bcc', 'resent-bcc', 'return-path']

export function submissionRole(inbound: Inbound): Role {
  const { directory, settings } = inbound
  return {
    origin: 'submission',
    omitted: NOT_SENT,
    mail(peer, sender): Later<Verdict> {
      const { account } = peer
      if (!account) return LOGIN_FIRST
      return within(inbound, account, 1, () =>
        !settings().enforceSender || sender.reversePath === null
          ? accept()
          : judgeSender(inbound, account, sender.reversePath),
      )
    },
    rcpt(peer, { recipients }, recipient): Later<Verdict> {
      if (!peer.account) return LOGIN_FIRST
      return within(inbound, peer.account, recipients.length + 1, () =>
        judgeRecipient(directory, recipient.forwardPath, true),
      )
    },
    async complete(peer, envelope, header, identity): Promise<Completion> {
      if (!peer.account) return LOGIN_FIRST as Exclude<Verdict, { kind: 'accept' }>
      const { enforceSender } = settings()
      if (enforceSender) {
        const verdict = await judgeAuthors(inbound, peer.account, header)
        if (verdict.kind !== 'accept') return verdict
      }
      const completion = await completeHeader(inbound, peer, envelope, header, identity)
      if (completion.kind !== 'complete') return completion
      // Counted last: what is refused for another reason was not sent.
      const exceeded = await inbound.outgoing.reserve(peer.account, envelope.recipients.length)
      if (exceeded === 'unknown') return NOT_COUNTED
      return exceeded === undefined ? completion : tooMuch(exceeded)
    },
  }
}

const NOT_COUNTED: Refusal = {
  kind: 'defer',
  code: 451,
  detail: '3.0',
  text: 'it cannot be counted just now; try again later',
}

/** What policy says, unless the account has sent as much as it may; who has no limits is not looked up. */
function within(
  { outgoing }: Inbound,
  account: Account,
  recipients: number,
  judge: () => Later<Verdict>,
): Later<Verdict> {
  if (!outgoing.limits(account)) return judge()
  return outgoing
    .looks(account, recipients)
    .then(exceeded => (exceeded === undefined ? judge() : tooMuch(exceeded)))
}

/** RFC 6409 §5.1 leaves limits to the site: not now, since the next hour or day has room again. */
function tooMuch({ what, most, per }: Exceeded): Refusal {
  const code = what === 'messages' ? 450 : 452
  return { kind: 'defer', code, detail: '7.1', text: `no more than ${most} ${what} in a ${per}` }
}

/** RFC 6409 §6.1: submission rights are enforced on the reverse-path. */
async function judgeSender(inbound: Inbound, account: Account, address: Address): Promise<Verdict> {
  if (await mayUse(inbound.directory, account.id, address)) return accept()
  const text = `${formatAddress(address)}: not an address of ${account.address}`
  return refuse(550, '7.1', text)
}

/**
 * An author with an address here must be the user himself, and so must who sends another's message
 * on. An author elsewhere is let through, and `Sender` names the user (RFC 6409 §8.1): it never
 * names anybody else.
 */
async function judgeAuthors(inbound: Inbound, account: Account, header: Header): Promise<Verdict> {
  const { from, sender, resentFrom } = authorsOf(header)
  for (const author of [...from, ...resentFrom]) {
    const found = inbound.directory.cached(author) ?? (await inbound.directory.resolve(author))
    if (found.kind === 'foreign' || (await mayUse(inbound.directory, account.id, author))) continue
    return notHis('From', author, account)
  }
  for (const named of sender) {
    if (!(await mayUse(inbound.directory, account.id, named)))
      return notHis('Sender', named, account)
  }
  return accept()
}

function notHis(field: string, address: Address, account: Account): Verdict {
  const text = `${field} ${formatAddress(address)}: not an address of ${account.address}`
  return refuse(550, '7.1', text)
}

/** Adds what RFC 6409 §8 lets us add; refuses a header that cannot be mended. */
export async function completeHeader(
  inbound: Inbound,
  peer: Peer,
  envelope: Envelope,
  header: Header,
  identity: Identity,
): Promise<Completion> {
  const fault = headerFault(header)
  if (fault && fault.kind !== 'no from') {
    return { kind: 'refuse', code: 554, detail: '6.0', text: fault.text }
  }
  const user = peer.account ? parseStoredAddress(peer.account.address) : null
  const { from, sender } = authorsOf(header)
  const fields = missingFields(header, {
    hostname: inbound.settings().hostname,
    timeMs: inbound.world.clock.now(),
    id: identity.id,
    ...(envelope.sender.reversePath
      ? { from: envelope.sender.reversePath }
      : user
        ? { from: user }
        : {}),
  })
  const named = sender.length > 0 || from.length === 0 || user === null
  if (named || (from.length === 1 && (await ownedBy(inbound, peer.account, from)))) {
    return { kind: 'complete', fields }
  }
  return { kind: 'complete', fields: `${fields}Sender: ${formatAddress(user)}\r\n` }
}

/** Whether every author is the user under one of his addresses. */
async function ownedBy(
  inbound: Inbound,
  account: Account | undefined,
  authors: readonly Address[],
): Promise<boolean> {
  if (!account) return true
  for (const author of authors) {
    if (!(await mayUse(inbound.directory, account.id, author))) return false
  }
  return true
}
