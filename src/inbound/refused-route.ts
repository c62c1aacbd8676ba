/**
 * Rules of the config that say `reject`: what can be refused in the session is refused there, so that nobody
 * has to send a notice to a sender who may be forged. A rule that asks for the header or the size is known
 * at the end of the message only, and then refuses it where it refuses all of its recipients.
 */
import { expandCached } from '../account/expand.ts'
import { type Address, parseStoredAddress } from '../mail/address.ts'
import type { Sender } from '../mail/envelope.ts'
import type { Detail } from '../mail/status.ts'
import { refuse, type Verdict } from '../mail/verdict.ts'
import { fieldTexts } from '../message/field-texts.ts'
import type { FinalRecipient } from '../queue/expansion.ts'
import type { Facts, Origin } from '../route/match.ts'
import type { Peer } from '../smtp/server/question.ts'
import type { Inbound } from './role.ts'

/** Who sends, and how it came in. */
export interface Sending {
  readonly origin: Origin
  readonly peer: Peer
  readonly sender: Sender
}

/** A recipient all of whose final addresses are refused; undefined where mail for it may be taken. */
export function refusedRecipient(
  { rules, directory }: Inbound,
  sending: Sending,
  address: Address,
): Verdict | undefined {
  if (!rules.refuseAny()) return undefined
  const expansion = expandCached(directory, address)
  const finals =
    expansion?.kind === 'finals' ? expansion.finals.map(final => final.address) : [address]
  return verdictOf(rules.refusal(finals.map(final => factsOf(sending, final))), 550)
}

/** A whole message, now that all of it is here. */
export function refusedMessage(
  { rules }: Inbound,
  sending: Sending,
  finals: readonly FinalRecipient[],
  { prefix, sizeOctets }: { readonly prefix: Uint8Array; readonly sizeOctets: number },
): Verdict | undefined {
  if (!rules.refuseAny()) return undefined
  const header = fieldTexts(prefix)
  const facts = finals
    .filter(final => !final.expanded)
    .map(final => ({
      ...factsOf(sending, parseStoredAddress(final.address)),
      sizeOctets,
      header,
    }))
  return verdictOf(rules.refusal(facts), 554)
}

function factsOf({ origin, peer, sender }: Sending, recipient: Address): Facts {
  const { account, remote } = peer
  return {
    recipient,
    sender: sender.reversePath,
    origin,
    peer: remote.address,
    account: account === undefined ? null : parseStoredAddress(account.address),
  }
}

function verdictOf(refusal: ReturnType<Inbound['rules']['refusal']>, code: 550 | 554) {
  // The class follows from the code.
  return refusal && refuse(code, refusal.status.slice(2) as Detail, refusal.text)
}
