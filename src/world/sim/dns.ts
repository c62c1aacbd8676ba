/** The simulated DNS: zones that a test writes, and failures on demand. Implements world/dns.ts. */
import type { Dns, DnsAnswer, MxRecord } from '../dns.ts'

/** The records of one name. */
export interface SimRecords {
  readonly a?: readonly string[]
  readonly aaaa?: readonly string[]
  readonly mx?: readonly (readonly [preference: number, exchange: string])[]
  readonly txt?: readonly string[]
  readonly ptr?: readonly string[]
  readonly cname?: string
}

export type DnsFailure = 'SERVFAIL' | 'REFUSED' | 'timeout'

/** c-ares gives up after about this long. */
const DNS_TIMEOUT_MS = 15_000

/** All names of the internet. One for all hosts; names are compared in lower case. */
export class Zones {
  readonly #records = new Map<string, SimRecords>()
  readonly #failures = new Map<string, DnsFailure>()
  readonly #lies = new Map<string, SimRecords | 'missing'>()

  /** Sets records of a name, beside those of other types that stand. */
  set(name: string, records: SimRecords): void {
    const key = name.toLowerCase()
    this.#records.set(key, { ...this.#records.get(key), ...records })
  }

  remove(name: string): void {
    this.#records.delete(name.toLowerCase())
  }

  /** Makes look-ups of this name fail; undefined heals it. */
  fail(name: string, failure: DnsFailure | undefined): void {
    if (failure) this.#failures.set(name.toLowerCase(), failure)
    else this.#failures.delete(name.toLowerCase())
  }

  /** What is answered for a name in place of its records, until undefined takes it back. */
  lie(name: string, records: SimRecords | 'missing' | undefined): void {
    if (records) this.#lies.set(name.toLowerCase(), records)
    else this.#lies.delete(name.toLowerCase())
  }

  failure(name: string): DnsFailure | undefined {
    return this.#failures.get(name.toLowerCase())
  }

  /** The CNAME of a name itself. */
  alias(name: string): DnsAnswer<string> {
    const cname = this.#records.get(name.toLowerCase())?.cname
    if (cname === undefined || this.failure(name)) return this.look(name, () => undefined)
    return { kind: 'found', records: [cname] }
  }

  look<T>(
    name: string,
    pick: (records: SimRecords) => readonly T[] | undefined,
    follow = 8,
  ): DnsAnswer<T> {
    const key = name.toLowerCase()
    const failure = this.#failures.get(key)
    if (failure)
      return { kind: 'failed', reason: failure === 'timeout' ? 'ETIMEOUT' : `E${failure}` }
    const lie = this.#lies.get(key)
    if (lie === 'missing') return { kind: 'missing' }
    const records = lie ?? this.#records.get(key)
    if (!records) {
      const hasBelow = [...this.#records.keys()].some(other => other.endsWith(`.${key}`))
      return { kind: hasBelow ? 'empty' : 'missing' }
    }
    if (records.cname !== undefined) {
      if (follow === 0) return { kind: 'failed', reason: 'ESERVFAIL' }
      return this.look(records.cname, pick, follow - 1)
    }
    const found = pick(records)
    return found && found.length > 0 ? { kind: 'found', records: found } : { kind: 'empty' }
  }
}

/** A host's resolver: `later` brings an answer to the host after the time that it takes. */
export function simDns(
  zones: Zones,
  later: <T>(label: string, takesMs: number | undefined, answer: () => T) => Promise<T>,
): Dns {
  const ask = <T>(name: string, type: string, pick: (r: SimRecords) => readonly T[] | undefined) =>
    later(
      `dns ${type} ${name}`,
      zones.failure(name) === 'timeout' ? DNS_TIMEOUT_MS : undefined,
      () => zones.look(name, pick),
    )
  return {
    mx: domain =>
      ask<MxRecord>(domain, 'mx', records =>
        records.mx?.map(([preference, exchange]) => ({
          preference,
          exchange: exchange.toLowerCase().replace(/\.$/, ''),
        })),
      ),
    ipv4: name => ask(name, 'a', records => records.a),
    ipv6: name => ask(name, 'aaaa', records => records.aaaa),
    txt: name => ask(name, 'txt', records => records.txt),
    cname: name =>
      later(
        `dns cname ${name}`,
        zones.failure(name) === 'timeout' ? DNS_TIMEOUT_MS : undefined,
        () => zones.alias(name),
      ),
    names: address => ask(address, 'ptr', records => records.ptr),
  }
}
