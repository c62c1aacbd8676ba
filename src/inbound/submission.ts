/**
 * The submission role (MSA, RFC 6409): mail from users who have logged in. It relays anywhere,
 * completes the header, and lets nobody write under a name that is not his.
 */
import type { Exceeded } from '../limit/outgoing.ts'
import { parseStoredAddress } from '../mail/address.ts'
import type { Recipient } from '../mail/envelope.ts'
import { accept, refuse, type Verdict } from '../mail/verdict.ts'
import type { Amended } from '../message/amend.ts'
import type { Account } from '../sasl/mechanism.ts'
import type { Later } from '../smtp/server/question.ts'
import { formatCount } from '../wire/measure.ts'
import { judgeAuthors, rewritesAuthors } from './authors.ts'
import { identified, judgeSender } from './authorship.ts'
import { isNameless, withAddresses } from './nameless.ts'
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
        judgeRecipient(directory, recipient.forwardPath, relayed(inbound, recipient)),
      )
    },
    authors({ account }, { reversePath }, header): Later<Amended | Refusal> {
      if (!account) return header
      const named = withAddresses(header, reversePath ?? parseStoredAddress(account.address))
      return settings().enforceSender ? judgeAuthors(inbound, account, named) : named
    },
    rewrites: header => rewritesAuthors(settings()) || isNameless(header),
    async complete(peer, envelope, header, identity): Promise<Completion> {
      if (!peer.account) return LOGIN_FIRST as Exclude<Verdict, { kind: 'accept' }>
      const submitted = { peer, envelope, header, identity }
      const completion = await identified(inbound, peer.account, submitted)
      if (completion.kind !== 'complete') return completion
      // Counted last: what is refused for another reason was not sent.
      const exceeded = await inbound.outgoing.reserve(peer.account, envelope.recipients.length)
      if (exceeded === 'unknown') return NOT_COUNTED
      return exceeded === undefined ? completion : tooMuch(exceeded)
    },
  }
}

/** What the config names is whole, whatever it looks like. */
function relayed({ rules, onDemand }: Inbound, { forwardPath: { domain } }: Recipient) {
  return domain.includes('.') || !(rules.names(domain) || onDemand.takes(domain)) ? 'whole' : true
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
  const text = `no more than ${formatCount(most, what.slice(0, -1))} ${PER[per]}`
  return { kind: 'defer', code, detail: '7.1', text }
}

const PER = { hour: 'in an hour', day: 'in a day' } as const
