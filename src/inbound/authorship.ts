/**
 * Who wrote a message, for those who submit (RFC 6409 §6, §8): whether the reverse-path is the user's to use
 * (identity.ts), what policy makes of it where it is not, and the fields that a header lacks. Whom its fields
 * may name is judged by authors.ts. Called by submission.ts and local.ts, and by `explain`; counts and keeps nothing.
 */
import { type Address, formatAddress, parseStoredAddress } from '../mail/address.ts'
import type { Envelope } from '../mail/envelope.ts'
import { accept, refuse, type Verdict } from '../mail/verdict.ts'
import { authorsOf, headerFault, missingFields } from '../message/complete.ts'
import type { Header } from '../message/header.ts'
import type { Identity } from '../queue/id.ts'
import type { Account } from '../sasl/mechanism.ts'
import type { Peer } from '../smtp/server/question.ts'
import { recorded } from './heed-rewriting.ts'
import { rightTo } from './identity.ts'
import type { Completion, Inbound } from './role.ts'

/** A message as it was submitted. */
export interface Submitted {
  readonly peer: Peer
  readonly envelope: Envelope
  readonly header: Header
  readonly identity: Identity
}

/** What a user's message becomes by the rules of who may write as whom; its authors are judged already. */
export async function identified(
  inbound: Inbound,
  account: Account,
  { peer, envelope, header, identity }: Submitted,
): Promise<Completion> {
  const { enforceSender } = inbound.settings()
  const written = enforceSender ? await withOwnPath(inbound, account, envelope) : envelope
  const completion = await completeHeader(inbound, peer, written, header, identity)
  const { reversePath } = written.sender
  if (completion.kind !== 'complete' || written === envelope || reversePath === null) {
    return completion
  }
  return { ...completion, reversePath }
}

/** The envelope under the reverse-path that the role has given it. */
export function leaving(
  envelope: Envelope,
  { reversePath }: { readonly reversePath?: Address },
  fields: readonly string[],
): Envelope {
  if (reversePath === undefined && fields.length === 0) return envelope
  const { sender } = envelope
  const written = reversePath === undefined ? sender : { ...sender, reversePath }
  return { ...envelope, sender: recorded(sender, written, fields) }
}

/** RFC 6409 §6.1: submission rights are enforced on the reverse-path. */
export async function judgeSender(
  inbound: Inbound,
  account: Account,
  address: Address,
): Promise<Verdict> {
  if (inbound.settings().identities.mailFrom === 'rewrite') return accept()
  if (await rightTo(inbound, account, address)) return accept()
  const text = `${formatAddress(address)}: not an address of ${account.address}`
  return refuse(550, '7.1', text)
}

/** Where policy rewrites it, a reverse-path that is not the user's becomes his: bounces come to him. */
async function withOwnPath(
  inbound: Inbound,
  account: Account,
  envelope: Envelope,
): Promise<Envelope> {
  const { reversePath } = envelope.sender
  if (inbound.settings().identities.mailFrom !== 'rewrite' || reversePath === null) return envelope
  if (await rightTo(inbound, account, reversePath)) return envelope
  const own = parseStoredAddress(account.address)
  return { ...envelope, sender: { ...envelope.sender, reversePath: own } }
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

/** Whether every author is the user, under an address of his or one that he was given. */
async function ownedBy(
  inbound: Inbound,
  account: Account | undefined,
  authors: readonly Address[],
): Promise<boolean> {
  if (!account) return true
  for (const author of authors) {
    const right = await rightTo(inbound, account, author)
    if (right !== 'own' && right !== 'as') return false
  }
  return true
}
