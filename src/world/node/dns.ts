/**
 * The Domain Name System by c-ares (node:dns Resolver): never /etc/hosts. Implements world/dns.ts:
 * every error becomes an answer, and only a name server's own word makes a name missing.
 */
import { Resolver } from 'node:dns/promises'
import { domainToASCII } from 'node:url'
import type { Dns, DnsAnswer } from '../dns.ts'

export interface DnsOptions {
  /** Name servers as `address` or `address:port` ('[v6]:port'); the system's by default. */
  readonly servers?: readonly string[]
  /** For the first try, ms; c-ares lengthens the later ones. Default 5000. */
  readonly timeoutMs?: number
  /** Default 3. */
  readonly tries?: number
}

export function nodeDns(options: DnsOptions = {}): Dns {
  const resolver = new Resolver({ timeout: options.timeoutMs ?? 5000, tries: options.tries ?? 3 })
  if (options.servers && options.servers.length > 0) resolver.setServers([...options.servers])
  const ask = <Raw, T>(
    name: string,
    look: (name: string) => Promise<readonly Raw[]>,
    shape: (raw: Raw) => T,
  ): Promise<DnsAnswer<T>> => {
    const ascii = toAscii(name)
    if (ascii === undefined) return Promise.resolve({ kind: 'missing' })
    return answerOf(() => look(ascii), shape)
  }
  return {
    mx: domain =>
      ask(
        domain,
        name => resolver.resolveMx(name),
        record => ({ preference: record.priority, exchange: hostName(record.exchange) }),
      ),
    ipv4: name =>
      ask(
        name,
        ascii => resolver.resolve4(ascii),
        address => address,
      ),
    ipv6: name =>
      ask(
        name,
        ascii => resolver.resolve6(ascii),
        address => address,
      ),
    txt: name =>
      ask(
        name,
        ascii => resolver.resolveTxt(ascii),
        strings => strings.join(''),
      ),
    cname: name => ask(name, ascii => resolver.resolveCname(ascii), hostName),
    names: address => answerOf(() => resolver.reverse(address), hostName),
  }
}

async function answerOf<Raw, T>(
  look: () => Promise<readonly Raw[]>,
  shape: (raw: Raw) => T,
): Promise<DnsAnswer<T>> {
  try {
    const records = await look()
    return records.length === 0
      ? { kind: 'empty' }
      : { kind: 'found', records: records.map(raw => shape(raw)) }
  } catch (error) {
    const code = (error as { code?: unknown } | null)?.code
    if (code === 'ENODATA') return { kind: 'empty' }
    // EBADNAME: no server could ever know a name that does not fit a question.
    if (code === 'ENOTFOUND' || code === 'EBADNAME') return { kind: 'missing' }
    return { kind: 'failed', reason: typeof code === 'string' ? code : String(error) }
  }
}

/** The A-label form (RFC 5890); undefined where a name cannot have one. */
function toAscii(name: string): string | undefined {
  const plain = name.endsWith('.') ? name.slice(0, -1) : name
  if (plain === '') return undefined
  // Underscores and the like are legal in the DNS: only what is not ASCII is converted.
  const ascii = /^[\x21-\x7e]+$/.test(plain) ? plain : domainToASCII(plain)
  return ascii === '' || ascii.length > 253 ? undefined : ascii
}

/** Lower case, no final dot; the root, '.', becomes '' (the null MX of RFC 7505). */
function hostName(name: string): string {
  const lower = name.toLowerCase()
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}
