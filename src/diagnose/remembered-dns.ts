/**
 * DNS that asks each question once: all steps of one diagnosis then speak of the same answers. Wraps the port
 * (world/dns.ts) for as long as one run lasts; a bounded run asks a bounded number of questions.
 */
import type { Dns, DnsAnswer } from '../world/dns.ts'

export function rememberedDns(dns: Dns): Dns {
  const asked = new Map<string, Promise<DnsAnswer<unknown>>>()
  const once = <T>(type: keyof Dns, name: string): Promise<DnsAnswer<T>> => {
    const key = `${type} ${name.toLowerCase()}`
    const answer = asked.get(key) ?? dns[type](name)
    asked.set(key, answer)
    return answer as Promise<DnsAnswer<T>>
  }
  return {
    mx: domain => once('mx', domain),
    ipv4: name => once('ipv4', name),
    ipv6: name => once('ipv6', name),
    txt: name => once('txt', name),
    cname: name => once('cname', name),
    names: address => once('names', address),
  }
}

/** The records of an answer; none where it has none. */
export function recordsOf<T>(answer: DnsAnswer<T>): readonly T[] {
  return answer.kind === 'found' ? answer.records : []
}

/** Whether a name leads to an address; undefined where no name server says. */
export async function leadsTo(
  dns: Dns,
  name: string,
  address: string,
): Promise<boolean | undefined> {
  const answer = await (address.includes(':') ? dns.ipv6(name) : dns.ipv4(name))
  return answer.kind === 'failed' ? undefined : recordsOf(answer).includes(address)
}
