/**
 * The hosts of a way in the order in which one load tries them (RFC 5321 §5.1): by preference, and of those that are
 * preferred alike the one first that chance has drawn for it. Used by transport/smtp.ts; pure.
 */
import type { Hop } from './hop.ts'
import type { Host, Located } from './hosts.ts'
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

/** The name of a place that may be reached or not (`Remembered`). */
export function placeOf({ address }: Host, { port }: Way): string {
  return `${address} ${port}`
}
