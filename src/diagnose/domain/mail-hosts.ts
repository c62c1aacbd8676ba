/**
 * Where mail for a domain goes (RFC 5321 §5, RFC 7505): its MX records one by one, and what a sender makes of them.
 */
import { usableAddress } from '../../transport/address-literal.ts'
import type { MxRecord } from '../../world/dns.ts'
import { type Finding, finding } from '../finding.ts'
import { recordsOf } from '../remembered-dns.ts'
import type { Step } from '../step.ts'
import type { DomainContext } from './steps.ts'

/** As many hosts as a sender tries (transport/smtp.ts). */
const HOSTS_MAX = 10

export const mailHosts: Step<DomainContext> = {
  name: 'mail hosts',
  async run(context) {
    const { dns, domain } = context
    if (domain.startsWith('[')) return [outcome(context)]
    const mx = await dns.mx(domain)
    if (mx.kind === 'missing') {
      return [finding('no-such-domain', `the domain ${domain} does not exist`)]
    }
    if (mx.kind === 'failed') {
      return [finding('dns-fails', `the MX records of ${domain} cannot be looked up: ${mx.reason}`)]
    }
    const found: Finding[] = []
    if (mx.kind === 'empty') found.push(finding('no-mx', `${domain} has no MX record`))
    else if (mx.records.every(({ exchange }) => exchange === '')) {
      return [finding('null-mx', `${domain} says by its MX record that it takes no mail`)]
    } else found.push(...(await ofRecords(context, mx.records)))
    found.push(outcome(context), ...(await elsewhere(context)))
    return found
  },
}

/** What is wrong with single records. */
async function ofRecords(
  { dns }: DomainContext,
  records: readonly MxRecord[],
): Promise<readonly Finding[]> {
  const found: Finding[] = []
  const sorted = [...records].sort((one, other) => one.preference - other.preference)
  const seen = new Set<string>()
  for (const { exchange, preference } of sorted.slice(0, HOSTS_MAX)) {
    const record = `MX ${preference} ${exchange === '' ? '.' : exchange}`
    if (exchange === '') found.push(finding('null-mx-among-others', `${record} among others`))
    else if (seen.has(exchange)) found.push(finding('mx-repeated', `${record} is there twice`))
    else if (isAddress(exchange)) found.push(finding('mx-is-address', `${record}: an address`))
    else if (!isHostName(exchange)) found.push(finding('mx-is-no-host-name', `${record}: no host`))
    seen.add(exchange)
  }
  if (records.length > HOSTS_MAX) {
    found.push(finding('mx-too-many', `${records.length} MX records; ${HOSTS_MAX} are looked at`))
  }
  const hosts = [...seen].filter(name => isHostName(name) && !isAddress(name))
  const ofHosts = await Promise.all(hosts.map(name => ofHost(dns, name)))
  return [...found, ...ofHosts.flat()]
}

async function ofHost(dns: DomainContext['dns'], name: string): Promise<readonly Finding[]> {
  const [alias, four, six] = await Promise.all([dns.cname(name), dns.ipv4(name), dns.ipv6(name)])
  const found: Finding[] = []
  const [target] = recordsOf(alias)
  if (target !== undefined) {
    found.push(finding('mx-is-alias', `${name} is an alias (CNAME) of ${target}`))
  }
  const addresses = [...recordsOf(four), ...recordsOf(six)]
  for (const address of addresses.filter(one => !usableAddress(one)).slice(0, HOSTS_MAX)) {
    found.push(finding('address-unusable', `${name} has the address ${address}`))
  }
  if (addresses.length > 0) return found
  const failed = [four, six].find(answer => answer.kind === 'failed')
  if (failed?.kind === 'failed') {
    found.push(finding('dns-fails', `the address of ${name} cannot be looked up: ${failed.reason}`))
  } else if (four.kind === 'missing' && six.kind === 'missing') {
    found.push(finding('mx-without-address', `${name} does not exist`))
  } else found.push(finding('mx-without-address', `${name} has no address`))
  return found
}

/** What a sender makes of it all. */
function outcome({ domain, located }: DomainContext): Finding {
  if (located.kind !== 'hosts') {
    return finding(located.kind === 'failed' ? 'no-usable-host' : 'dns-fails', located.reason)
  }
  const hosts = located.hosts.map(({ name, address }) => `${name} (${address})`)
  return finding('mail-hosts', `mail for ${domain} goes to ${hosts.join(', ')}`)
}

/** Our own domain whose mail goes to others; a domain that hosts with IPv6 alone cannot reach. */
async function elsewhere({ located, ours, own }: DomainContext): Promise<readonly Finding[]> {
  if (located.kind !== 'hosts') return []
  const { hosts } = located
  if (own && !hosts.some(({ name, address }) => ours.includes(name) || ours.includes(address))) {
    return [finding('mx-elsewhere', `none of these hosts is ${ours[0] ?? 'this server'}`)]
  }
  const only4 = hosts.every(({ address }) => !address.includes(':'))
  return only4 ? [finding('only-ipv4', 'none of its hosts has an IPv6 address')] : []
}

function isAddress(name: string): boolean {
  return name.includes(':') || /(?:^|\.)\d+$/.test(name)
}

/** Letters, digits and inner hyphens (RFC 1123 §2.1). */
function isHostName(name: string): boolean {
  return name.split('.').every(label => /^(?!-)[a-z0-9-]{1,63}(?<!-)$/.test(label))
}
