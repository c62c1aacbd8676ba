/**
 * What a domain says in TXT records about mail from it: SPF (RFC 7208), DMARC (RFC 7489), DKIM keys under selectors
 * that were named (RFC 6376), MTA-STS (RFC 8461) and TLS reports (RFC 8460). They are shown, and gross faults told;
 * no policy is computed.
 */
import type { Dns } from '../../world/dns.ts'
import { type Finding, finding } from '../finding.ts'
import { recordsOf } from '../remembered-dns.ts'
import type { Step } from '../step.ts'
import type { DomainContext } from './steps.ts'

export const records: Step<DomainContext> = {
  name: 'records',
  async run({ dns, domain, located, selectors }) {
    if (domain.startsWith('[') || (located.kind === 'failed' && located.status === '5.1.2')) {
      return []
    }
    const all = await Promise.all([
      spf(dns, domain),
      dmarc(dns, domain),
      told(dns, `_mta-sts.${domain}`, /^v=STSv1/i, 'sts-found'),
      told(dns, `_smtp._tls.${domain}`, /^v=TLSRPTv1/i, 'tls-reports-found'),
      ...selectors.map(selector => dkim(dns, domain, selector)),
    ])
    return all.flat()
  },
}

async function spf(dns: Dns, domain: string): Promise<readonly Finding[]> {
  const found = await texts(dns, domain, /^v=spf1(?: |$)/i)
  if (found === undefined) return []
  const [first] = found
  if (first === undefined) return [finding('spf-missing', `${domain} has no SPF record`)]
  if (found.length > 1) {
    return [finding('spf-several', `${domain} has ${found.length} SPF records`)]
  }
  if (/(?:^| )\+?all(?: |$)/i.test(first)) return [finding('spf-allows-all', first)]
  return [finding('spf-found', first)]
}

async function dmarc(dns: Dns, domain: string): Promise<readonly Finding[]> {
  const name = `_dmarc.${domain}`
  const found = await texts(dns, name, /^v=DMARC1/i)
  if (found === undefined) return []
  const [first] = found
  if (first === undefined) return [finding('dmarc-missing', `there is no DMARC record at ${name}`)]
  if (found.length > 1) {
    return [finding('dmarc-several', `there are ${found.length} DMARC records at ${name}`)]
  }
  return [finding('dmarc-found', first)]
}

async function dkim(dns: Dns, domain: string, selector: string): Promise<readonly Finding[]> {
  const name = `${selector}._domainkey.${domain}`
  const found = await texts(dns, name, /(?:^|;)\s*p=/i)
  if (found === undefined) return []
  const [first] = found
  if (first === undefined) return [finding('dkim-missing', `there is no key at ${name}`)]
  const revoked = /(?:^|;)\s*p=\s*(?:;|$)/i.test(first)
  return [revoked ? finding('dkim-revoked', `${name}: ${first}`) : finding('dkim-found', name)]
}

async function told(
  dns: Dns,
  name: string,
  shape: RegExp,
  as: 'sts-found' | 'tls-reports-found',
): Promise<readonly Finding[]> {
  const [first] = (await texts(dns, name, shape)) ?? []
  return first === undefined ? [] : [finding(as, `${name}: ${first}`)]
}

/** The texts of a shape; undefined where no name server says. */
async function texts(
  dns: Dns,
  name: string,
  shape: RegExp,
): Promise<readonly string[] | undefined> {
  const answer = await dns.txt(name)
  if (answer.kind === 'failed') return undefined
  return recordsOf(answer).filter(text => shape.test(text.trim()))
}
