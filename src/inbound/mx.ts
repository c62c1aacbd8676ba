/**
 * The MX role: mail from other servers (RFC 5321). It takes what is for here and relays for nobody.
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
      judgeRecipient(inbound.directory, recipient.forwardPath, false),
    complete: () => ({ kind: 'complete', fields: '' }),
  }
}
