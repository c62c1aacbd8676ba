/**
 * Who is exempt from bans, rates and tarpits, and from nothing else: this machine's own sockets, and the
 * networks of `limits.exempt`, where loopback is by default. Authentication, relaying and the rules for
 * senders ask nothing here.
 */
import { isWithin, type Network } from '../wire/network.ts'

export function isExempt(address: string, networks: readonly Network[]): boolean {
  return address === 'unix' || address === 'stdio' || isWithin(address, networks)
}
