/** What is to be diagnosed: out of `HOST`, `DOMAIN` or `ADDRESS` as a person writes it. Pure. */
import { domainToASCII } from 'node:url'
import { formatAddress } from '../mail/address.ts'
import { parseMailbox } from '../smtp/path.ts'
import { parseLiteral } from '../transport/address-literal.ts'
import type { TlsWish } from './talk.ts'

/** A server that is named outright. */
export interface Server {
  /** A name, or an address. */
  readonly host: string
  /** Where it is to be reached, if not by looking up `host`. */
  readonly address?: string
  readonly port: number
  readonly protocol: 'smtp' | 'pop3' | 'imap'
  readonly tls: TlsWish
  /** Users submit here: TLS and logins must be. */
  readonly submission?: boolean
  /** Its name is one for tests, for which no authority makes a certificate. */
  readonly forTests?: boolean
}

export interface Plan {
  /** Mail domains, whose MX hosts are visited. */
  readonly domains: readonly string[]
  /** Mail domains of ours that are for tests only: told, and never asked of the DNS. */
  readonly forTests?: readonly string[]
  readonly servers: readonly Server[]
  /** Addresses as they stand on the wire: said to the hosts of their domains, and to every server. */
  readonly recipients: readonly string[]
}

export interface PlanFlags {
  readonly port?: number
  readonly tls?: TlsWish
  /** The name is a host, whatever MX records it has. */
  readonly isHost?: boolean
  /** It is the asker's own: postmaster and abuse are asked for. */
  readonly own?: boolean
}

/** RFC 6761 §6.2 to §6.5: names that nobody ever has in the DNS. */
export function isForTests(name: string): boolean {
  return /(?:^|\.)(?:test|example|invalid|localhost)\.?$/i.test(name)
}

/** Undefined where the text is neither a host, a domain nor an address. */
export function planOf(text: string, flags: PlanFlags): Plan | undefined {
  const [, named = text, portText] = /^(\[[^\]]+\]|[^:[\]]+):(\d{1,5})$/.exec(text) ?? []
  const port = flags.port ?? (portText === undefined ? undefined : Number(portText))
  if (port !== undefined && !(port >= 1 && port <= 65_535)) return undefined
  const address = text.includes('@') ? parseMailbox(text) : undefined
  if (text.includes('@')) {
    if (address === undefined) return undefined
    const domain = address.domain.startsWith('[') ? address.domain : domainToASCII(address.domain)
    if (domain === '') return undefined
    // As A-labels the domain needs no SMTPUTF8; a local part may.
    return { domains: [domain], servers: [], recipients: [formatAddress({ ...address, domain })] }
  }
  const literal = parseLiteral(named)
  const host = literal ?? domainToASCII(named.replace(/\.$/, ''))
  if (host === '') return undefined
  if (literal !== undefined || port !== undefined || flags.isHost === true) {
    return { domains: [], servers: [serverOf(host, port ?? 25, flags.tls)], recipients: [] }
  }
  const recipients = flags.own ? [`postmaster@${host}`, `abuse@${host}`] : []
  return { domains: [host], servers: [], recipients }
}

const PROTOCOLS: Readonly<Record<number, Server['protocol']>> = {
  110: 'pop3',
  995: 'pop3',
  143: 'imap',
  993: 'imap',
}

/** What is spoken on a port, and how it is secured unless that is said. */
function serverOf(host: string, port: number, tls?: TlsWish): Server {
  const implicit = port === 465 || port === 993 || port === 995
  return {
    host,
    port,
    protocol: PROTOCOLS[port] ?? 'smtp',
    tls: tls ?? (implicit ? 'implicit' : 'starttls'),
    ...((port === 465 || port === 587) && { submission: true }),
  }
}
