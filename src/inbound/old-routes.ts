/**
 * Whom a recipient means by a route in his local part (transit/old-route.ts), where a listener reads them. Only what
 * is addressed to us and is no mailbox of that name is read; what comes of it is judged by the role
 * like any other recipient, so that who may not relay does not relay by it either.
 */
import type { Directory, Resolution } from '../account/directory.ts'
import type { Address } from '../mail/address.ts'
import { heldAddress, type OldRoutes } from '../transit/old-route.ts'

/** More steps than this lead nowhere. */
const STEPS_MAX = 8

/** True where an address may hold a route that is read here; nearly always false, at once. */
export function mayHoldRoute({ local }: Address, routes: OldRoutes | undefined): boolean {
  return routes !== undefined && (routes.percent || routes.uucp) && /[%!]/.test(local)
}

/** The address that is meant: the last one that is not ours, or is somebody here. */
export async function withoutRoute(
  directory: Directory,
  named: Address,
  routes: OldRoutes,
): Promise<Address> {
  let address = named
  for (let step = 0; step < STEPS_MAX; step++) {
    if (!isNobody(await directory.resolve(address))) break
    const held = heldAddress(address.local, routes)
    if (held === undefined) break
    address = held
  }
  return address
}

/** Ours, and nobody in particular. */
function isNobody(found: Resolution): boolean {
  return found.kind === 'unknown' || (found.kind === 'alias' && found.via === 'catch-all')
}
