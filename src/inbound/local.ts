/**
 * The local role: users and programs of this machine, through the `sendmail` command and a Unix
 * socket. They need no account, and for that they may write only as addresses of this house, and
 * only so many messages a minute.
 */
import { type Address, formatAddress } from '../mail/address.ts'
import { accept, defer, refuse, type Verdict } from '../mail/verdict.ts'
import type { Later } from '../smtp/server/question.ts'
import { completeHeader } from './authorship.ts'
import { isNameless, withAddresses } from './nameless.ts'
import { judgeRecipient } from './recipient.ts'
import type { Inbound, Role } from './role.ts'
import { NOT_SENT } from './submission.ts'

const MINUTE_MS = 60_000

export function localRole(inbound: Inbound): Role {
  const { directory, settings, world } = inbound
  let windowFrom = 0
  let count = 0

  /** A fixed window: simple, shared by all local users, and enough to stop a runaway script. */
  function tooMany(): boolean {
    const now = world.clock.monotonic()
    if (now - windowFrom >= MINUTE_MS) {
      windowFrom = now
      count = 0
    }
    return ++count > settings().localPerMinuteMax
  }

  return {
    origin: 'local',
    omitted: NOT_SENT,
    mail(_peer, sender): Later<Verdict> {
      if (tooMany()) return defer(450, '7.1', 'too many messages from local users; try again later')
      if (sender.reversePath === null) return accept()
      return judgeLocalSender(inbound, sender.reversePath)
    },
    rcpt: (_peer, _envelope, recipient) => judgeRecipient(directory, recipient.forwardPath, true),
    authors: (_peer, { reversePath }, header) =>
      withAddresses(header, reversePath ?? { local: 'MAILER-DAEMON', domain: settings().hostname }),
    rewrites: isNameless,
    complete: (peer, envelope, header, identity) =>
      completeHeader(inbound, peer, envelope, header, identity),
  }
}

/** An address of a domain of ours, or of this very host (as `root@host` of cron). */
async function judgeLocalSender(inbound: Inbound, address: Address): Promise<Verdict> {
  if (address.domain === inbound.settings().hostname.toLowerCase()) return accept()
  const found = await inbound.directory.resolve(address)
  if (found.kind !== 'foreign') return accept()
  return refuse(
    550,
    '7.1',
    `${formatAddress(address)}: local users may send only as addresses here`,
  )
}
