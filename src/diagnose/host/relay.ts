/**
 * Whether a server carries mail for strangers (RFC 5321 §7.1). Asked of one's own server alone, where it was wished:
 * RCPT in the spellings that have fooled servers, and no message behind it.
 */
import { classOf } from '../../smtp/client/talk.ts'
import { isWithin, type Network, parseNetwork } from '../../wire/network.ts'
import { type Finding, finding } from '../finding.ts'
import type { Step } from '../step.ts'
import type { Asking } from '../talk.ts'
import type { HostContext } from './context.ts'

const NEAR: readonly Network[] = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::1',
  'fc00::/7',
].flatMap(text => parseNetwork(text) ?? [])

/** From the null sender, and from one that looks as if it were at home. */
export function relayAsking(here: string, there: string): readonly Asking[] {
  const at = there.lastIndexOf('@')
  const local = there.slice(0, at)
  const domain = there.slice(at + 1)
  const forwardPaths = [
    `<${there}>`,
    `<@${here}:${there}>`,
    `<${local}%${domain}@${here}>`,
    `<${domain}!${local}@${here}>`,
    `<"${there}"@${here}>`,
  ]
  return ['<>', `<postmaster@${here}>`].map(reversePath => ({
    about: 'relaying',
    reversePath,
    forwardPaths,
  }))
}

export const relay: Step<HostContext> = {
  name: 'relaying',
  run(context): readonly Finding[] {
    const asked = context.talk.asked.filter(({ about }) => about === 'relaying')
    const taken = asked.flatMap(({ forwardPaths, recipients }) =>
      forwardPaths.filter((_, at) => {
        const reply = recipients[at]
        return reply !== undefined && classOf(reply) === 2
      }),
    )
    const paths = [...new Set(taken)]
    // Behind the first two spellings nothing but the foreign domain can be meant.
    const foreign = asked.flatMap(({ forwardPaths }) => forwardPaths.slice(0, 2))
    const open = paths.filter(path => foreign.includes(path))
    const doubtful = paths.filter(path => !open.includes(path))
    if (asked.length > 0 && paths.length === 0) {
      return [finding('relay-refused', 'mail from strangers to strangers is refused')]
    }
    // Many servers relay for their own network on purpose.
    const near = isWithin(context.host.address, NEAR)
    const where = near ? ' (from this machine or network: try from elsewhere too)' : ''
    return [
      ...(open.length > 0
        ? [finding('open-relay', `${open.join(', ')} taken${where}`, near ? 'warning' : undefined)]
        : []),
      ...(doubtful.length > 0
        ? [finding('relay-by-local-part', `${doubtful.join(', ')} taken`)]
        : []),
    ]
  },
}
