/**
 * The MX role: mail from other servers (RFC 5321). It takes what is for here, for customers who will
 * ask for it and for domains it is told to relay for, and nothing else.
 */
import { accept } from '../mail/verdict.ts'
import { judgeRecipient } from './recipient.ts'
import type { Inbound, Role } from './role.ts'

export function mxRole(inbound: Inbound): Role {
  return {
    origin: 'mx',
    // Octet for octet: a Return-Path of theirs too, which stands below ours (RFC 5321 §4.4, §6.4).
    omitted: [],
    mail: () => accept(),
    rcpt(_peer, _envelope, { forwardPath }) {
      const { domain } = forwardPath
      const relays = inbound.onDemand.takes(domain) || inbound.rules.relaysFor(domain)
      return judgeRecipient(inbound.directory, forwardPath, relays)
    },
    complete: () => ({ kind: 'complete', fields: '' }),
  }
}
