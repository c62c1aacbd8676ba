/**
 * The hosts of a way in the order in which one load tries them (RFC 5321 §5.1): by preference, and of those that are
 * preferred alike the one first that chance has drawn for it. Used by transport/smtp.ts; pure.
 */
import type { Random } from '../world/random.ts'
import type { Hop } from './hop.ts'
import type { Host, Located } from './hosts.ts'
import type { Remembered } from './remembered.ts'
import type { Way } from './way.ts'

/** A host to try, how, and which others are as good. */
export interface Candidate {
  readonly host: Host
  readonly way: Way
  readonly equals: Hop['equals']
}

/** The hosts in the order to try; of those that are preferred alike the drawn one first. */
export function candidatesOf(
  { hosts, equals = [] }: Extract<Located, { readonly kind: 'hosts' }>,
  way: Way,
  drawn: string | undefined,
): readonly Candidate[] {
  const alike = hosts
    .filter(({ name }) => equals.includes(name))
    .map(host => ({ name: host.name, place: placeOf(host, way) }))
  const first = drawn !== undefined && equals.includes(drawn)
  const isFirst = ({ name }: Host) => Number(first && name === drawn)
  return hosts
    .toSorted((one, other) => isFirst(other) - isFirst(one))
    .map(host => ({ host, way, equals: equals.includes(host.name) ? alike : undefined }))
}

/**
 * The host that is to have the next load of a route, by the connection that is kept to one of several that are preferred
 * alike: each is to have its share (§5.1), and a kept connection is no reason to give one all that comes one by one.
 */
export function drawnOf(
  kept: Hop | undefined,
  unreachable: Remembered,
  random: Random,
): string | undefined {
  if (kept?.equals === undefined) return undefined
  const near = kept.equals.filter(({ place }) => !unreachable.has(place))
  return near.length > 1 ? near[random.below(near.length)]?.name : undefined
}

/** The name of a place that may be reached or not (`Remembered`). */
export function placeOf({ address }: Host, { port }: Way): string {
  return `${address} ${port}`
}
