/** Bans as an operator sees, makes and lifts them: `ban.*`. */
import type { Ban } from '../../limit/bans.ts'
import { bannedWith } from '../../limit/subject.ts'
import {
  baseOf,
  formatIp,
  formatNetwork,
  isWithin,
  type Network,
  parseNetwork,
} from '../../wire/network.ts'
import { ExitError } from '../exit-error.ts'
import type { OperationInput, OperationOutput } from '../operation.ts'
import type { BanRecord } from './ban-record.ts'
import type { ControlContext } from './context.ts'

export async function listBans(
  { house }: ControlContext,
  { address }: OperationInput<'ban.list'>,
): Promise<OperationOutput<'ban.list'>> {
  if (address !== undefined) networkNamed(address)
  const all = await house.bans.list()
  const wanted = address === undefined ? all : all.filter(ban => holds(ban, address))
  return { bans: wanted.map(recordOf) }
}

export async function addBan(
  { house }: ControlContext,
  { network, forMs, reason = 'by the operator' }: OperationInput<'ban.add'>,
): Promise<OperationOutput<'ban.add'>> {
  if (forMs !== undefined && !(forMs > 0)) {
    throw new ExitError(64, 'say for how long, such as 2h')
  }
  const { first } = house.settings().limits.bans
  if (forMs === undefined && first === 0) {
    throw new ExitError(64, 'limits.bans.first is 0: say for how long, such as 2h')
  }
  const named = networkNamed(network)
  if (isWithin(formatIp(named.octets), house.settings().limits.exempt)) {
    throw new ExitError(65, `${network} is exempt (limits.exempt): a ban would change nothing`)
  }
  return recordOf(await house.bans.ban(named, reason.slice(0, 200), forMs))
}

export async function liftBan(
  { house }: ControlContext,
  { network }: OperationInput<'ban.lift'>,
): Promise<OperationOutput<'ban.lift'>> {
  const named = networkNamed(network)
  if (await house.bans.lift(named)) return { lifted: [formatNetwork(baseOf(named))] }
  // An address may be turned away with the network around it.
  const around = (await house.bans.list()).filter(ban => holds(ban, network))
  const lifted: string[] = []
  for (const ban of around) {
    const standing = parseNetwork(ban.network)
    if (standing && (await house.bans.lift(standing))) lifted.push(ban.network)
  }
  return { lifted }
}

function holds({ network }: Ban, address: string): boolean {
  const standing = parseNetwork(network)
  return standing !== undefined && isWithin(address, [standing])
}

/** An address alone means what a limit would ban with it: of IPv6 its /64. */
function networkNamed(text: string): Network {
  const network = text.includes('/') ? parseNetwork(text) : bannedWith(text)
  if (network !== undefined && network.bits > 0) return network
  throw new ExitError(64, `${text} is no address or network, such as 192.0.2.1 or 2001:db8::/64`)
}

function recordOf({ network, reason, origin, level, begunAt, untilAt }: Ban): BanRecord {
  return { network, reason, origin, level, since: begunAt, until: untilAt }
}
