/**
 * What a certificate says of a host: its chain, its names (RFC 9525 §6.3), its dates. OpenSSL tells the first thing
 * that is wrong; names and dates are looked at in any case, so that all of it is mended in one go.
 */
import type { TlsFacts } from '../../wire/effect.ts'
import { type Finding, finding, type Severity } from '../finding.ts'

const DAY_MS = 86_400_000
/** Renewal is usual a month before the end; certificates of a few days are renewed a few days before. */
const SOON_MS = 14 * DAY_MS

/**
 * @param name what the certificate must be for; @param severity of what is wrong with it
 * @param pins fingerprints of which it must have one: then nothing else counts but its being so
 */
export function certificate(
  facts: TlsFacts,
  name: string,
  now: number,
  { severity, pins }: { readonly severity?: Severity; readonly pins?: readonly string[] } = {},
): readonly Finding[] {
  const own = facts.chain?.[0]
  if (own === undefined) return []
  if (pins !== undefined) return [pinnedOrNot(facts, pins)]
  const { names, subject, issuer, validFrom, validTo } = own
  const found: Finding[] = []
  const chain = facts.verified ? undefined : chainFault(facts)
  if (chain !== undefined) found.push(finding(chain, `${subject}, issued by ${issuer}`, severity))
  if (!names.some(pattern => covers(pattern, name))) {
    const shown = names.length === 0 ? 'no name at all' : names.slice(0, 10).join(', ')
    found.push(finding('certificate-other-name', `it is for ${shown}, not for ${name}`, severity))
  }
  if (now > validTo) {
    found.push(finding('certificate-expired', `it ended on ${dayOf(validTo)}`, severity))
  } else if (now < validFrom) {
    found.push(finding('certificate-early', `it begins on ${dayOf(validFrom)}`, severity))
  } else if (validTo - now < Math.min(SOON_MS, (validTo - validFrom) / 4)) {
    found.push(finding('certificate-expires-soon', `it ends on ${dayOf(validTo)}`))
  }
  const bad = found.some(({ name: found }) => found !== 'certificate-expires-soon')
  if (bad) return found
  const until = `good until ${dayOf(validTo)}, issued by ${issuer}`
  // What else there may be (a key too weak, a purpose that does not fit) has no name of its own here.
  if (!facts.verified)
    return [finding('certificate-untrusted', facts.unverified ?? until, severity)]
  return [finding('certificate-good', `${names.slice(0, 10).join(', ')}: ${until}`), ...found]
}

function pinnedOrNot({ fingerprint = '' }: TlsFacts, pins: readonly string[]): Finding {
  return pins.includes(fingerprint)
    ? finding('certificate-pinned', fingerprint)
    : finding('certificate-not-pinned', `it has ${fingerprint}`)
}

function chainFault({ unverified, chain = [] }: TlsFacts) {
  switch (unverified) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return 'certificate-self-signed' as const
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return 'certificate-untrusted' as const
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return chain.length <= 1
        ? ('certificate-incomplete' as const)
        : ('certificate-untrusted' as const)
    default:
      return undefined
  }
}

/** RFC 9525 §6.3: a wildcard stands for one whole label, the first. */
export function covers(pattern: string, name: string): boolean {
  const plain = name.toLowerCase().replace(/^\[(?:ipv6:)?(.*)\]$/, '$1')
  const wanted = pattern.toLowerCase()
  if (!wanted.startsWith('*.')) return wanted === plain
  const dot = plain.indexOf('.')
  return dot > 0 && plain.slice(dot) === wanted.slice(1)
}

function dayOf(at: number): string {
  return Number.isFinite(at) && Math.abs(at) < 8.64e15
    ? new Date(at).toISOString().slice(0, 10)
    : 'an unknown day'
}
