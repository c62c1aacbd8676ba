/**
 * The MX role: mail from other servers (RFC 5321). It takes what is for here and for customers who will
 * ask for it, and relays for nobody else.
 */
import { accept } from '../mail/verdict.ts'
import { judgeRecipient } from './recipient.ts'
import type { Inbound, Role } from './role.ts'

export function mxRole(inbound: Inbound): Role {
  return {
    origin: 'mx',
    omitted: [],
    mail: () => accept(),
    rcpt: (_peer, _envelope, recipient) =>
      judgeRecipient(
        inbound.directory,
        recipient.forwardPath,
        inbound.onDemand.takes(recipient.forwardPath.domain),
      ),
    complete: () => ({ kind: 'complete', fields: '' }),
  }
}
