/** The Domain Name System as a port. Answers are values; a look-up never throws. */
export type DnsAnswer<T> =
  /** The records, in the order the server gave them. */
  | { readonly kind: 'found'; readonly records: readonly T[] }
  /** The name exists but has no such record (NODATA). */
  | { readonly kind: 'empty' }
  /** The name does not exist (NXDOMAIN). */
  | { readonly kind: 'missing' }
  /** No trustworthy answer: SERVFAIL, time-out, refused, malformed. Always temporary. */
  | { readonly kind: 'failed'; readonly reason: string }

export interface MxRecord {
  readonly preference: number
  /** Lower case, no final dot; '' is the null MX of RFC 7505. */
  readonly exchange: string
}

export interface Dns {
  mx(domain: string): Promise<DnsAnswer<MxRecord>>
  /** A records, CNAMEs followed. */
  ipv4(name: string): Promise<DnsAnswer<string>>
  /** AAAA records, CNAMEs followed. */
  ipv6(name: string): Promise<DnsAnswer<string>>
  txt(name: string): Promise<DnsAnswer<string>>
  /** What a name is another name for (CNAME), as it stands. */
  cname(name: string): Promise<DnsAnswer<string>>
  /** The names of an address (PTR). */
  names(address: string): Promise<DnsAnswer<string>>
}
