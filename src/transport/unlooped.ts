/**
 * Final delivery to programs and files, but not of what comes round again (RFC 5321 §6.3): who has had a message
 * before is named in a `Delivered-To:` of it, whichever way it came back: by an alias, too, that reception does not
 * see through. Made by server/outbound.ts around pipe.ts, maildir.ts and mbox.ts; mailboxes send nothing on.
 */
import { addressKey } from '../account/address.ts'
import { hadBefore } from '../delivery/had-before.ts'
import type { Outcome } from '../mail/outcome.ts'
import { scanHeader } from '../message/header.ts'
import { HEADER_MAX_OCTETS, prefixOf } from '../queue/content.ts'
import type { Route } from '../route/route.ts'
import type { Log } from '../world/log.ts'
import type { Carried, Load, Transport } from './transport.ts'
import { LOOPED } from './uncarried.ts'

/** The same transport, for recipients who have not had the message before. */
export function unlooped(transport: Transport, log: Log): Transport {
  return {
    async carry(load, route) {
      const again = await comesAgain(load, route, log)
      if (!again.includes(true)) return transport.carry(load, route)
      const { recipients } = load.envelope
      const others = recipients.filter((_one, at) => !again[at])
      const envelope = { ...load.envelope, recipients: others }
      const carried: Carried =
        others.length === 0 ? { outcomes: [] } : await transport.carry({ ...load, envelope }, route)
      const left = carried.outcomes.values()
      const outcomes = again.map(looped => (looped ? LOOPED : (left.next().value as Outcome)))
      return { ...carried, outcomes }
    },
    close: () => transport.close(),
  }
}

/** Of each recipient. What cannot be read is not judged: the delivery itself will say so. */
async function comesAgain(load: Load, route: Route, log: Log): Promise<readonly boolean[]> {
  // A user may well send on what came to himself, and a program that hands mail on puts nothing in front.
  if (load.origin === 'submission' || (route.kind === 'pipe' && !route.final)) return []
  try {
    const prefix = await prefixOf(load.content(), HEADER_MAX_OCTETS)
    const before = hadBefore(scanHeader(prefix, { partial: load.sizeOctets > prefix.length }))
    if (before.size === 0) return []
    return load.envelope.recipients.map(({ forwardPath }) => before.has(addressKey(forwardPath)))
  } catch (error) {
    log.warn('source-failed', { message: load.id, reason: String(error) })
    return []
  }
}
