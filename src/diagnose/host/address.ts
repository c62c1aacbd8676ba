/**
 * The address of a host: whether the world can reach it (RFC 6890), and what name it has in turn (RFC 1912 §2.1). A
 * server that only takes mail needs no PTR record; one that sends does, so for one's own it is a warning.
 */
import { usableAddress } from '../../transport/address-literal.ts'
import { isWithin, type Network, parseNetwork } from '../../wire/network.ts'
import { type Finding, finding } from '../finding.ts'
import { leadsTo, recordsOf } from '../remembered-dns.ts'
import type { Step } from '../step.ts'
import type { Addressed } from './context.ts'

const networks = (...texts: readonly string[]): readonly Network[] =>
  texts.flatMap(text => parseNetwork(text) ?? [])

const LOOPBACK = networks('127.0.0.0/8', '::1')
const PRIVATE = networks(
  '10.0.0.0/8',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  'fc00::/7',
  'fe80::/10',
)
/** Of the names of one address so many are looked at. */
const NAMES_MAX = 5

export const address: Step<Addressed> = {
  name: 'address',
  async run(context) {
    const { host, byMx } = context
    // Who names such an address outright knows where he is.
    const severity = byMx ? undefined : 'note'
    if (!usableAddress(host.address)) {
      return [finding('address-unusable', `${host.address} is no address of a host`)]
    }
    if (isWithin(host.address, LOOPBACK)) {
      return [finding('address-loopback', `${host.address} is this very machine`, severity)]
    }
    if (isWithin(host.address, PRIVATE)) {
      return [finding('address-private', `${host.address} is a private address`, severity)]
    }
    return reverse(context)
  },
}

async function reverse({ dns, host, own }: Addressed): Promise<readonly Finding[]> {
  const severity = own ? 'warning' : undefined
  const answer = await dns.names(host.address)
  if (answer.kind === 'failed') {
    const text = `the name of ${host.address} cannot be looked up: ${answer.reason}`
    return [finding('reverse-unknown', text)]
  }
  const names = recordsOf(answer).slice(0, NAMES_MAX)
  if (names.length === 0) {
    return [finding('reverse-missing', `${host.address} has no name (PTR)`, severity)]
  }
  const confirmed = await Promise.all(names.map(name => leadsTo(dns, name, host.address)))
  const right = names[confirmed.indexOf(true)]
  if (right !== undefined) return [finding('reverse-good', `${host.address} is ${right}`)]
  if (confirmed.includes(undefined)) {
    return [finding('reverse-unknown', `${names.join(', ')} cannot be looked up`)]
  }
  const text = `${host.address} is ${names.join(', ')} (PTR), which does not lead back to it`
  return [finding('reverse-unconfirmed', text, severity)]
}
