/**
 * The settings of next hops: `outbound.smarthost`, and `outbound.hops` with their names. A hop without a host
 * is a way to the domains' own hosts: under another name, from other addresses. Used by settings.ts.
 */
import { isIP } from 'node:net'
import { z } from 'zod'
import { ORIGINS } from '../../route/match.ts'
import { parseAddressPattern } from '../../route/pattern.ts'
import type { AddressFamily, EightBit, NextHop } from '../../route/route.ts'
import { parseFingerprint } from '../../wire/fingerprint.ts'
import type { Ticket } from '../../world/gss.ts'
import { mechanism } from './auth.ts'
import { hostname, secret } from './kinds.ts'

/** One text or a list of them; becomes a list. */
export const texts = (text: z.ZodType<string, string>) =>
  z
    .union([text, z.array(text).min(1)])
    .transform(written => (typeof written === 'string' ? [written] : written))

export const isAddressPattern = (text: string) => parseAddressPattern(text) !== undefined

export const isOrigin = (text: string) => (ORIGINS as readonly string[]).includes(text)

export const addressPattern = () =>
  z.string().refine(isAddressPattern, {
    error: ({ input }) =>
      `"${String(input)}" is no pattern of addresses: write joe@example.org, @example.org for all of a domain, or *@*.example.org`,
  })

export const addressFamily = () => z.enum(['any', 'ipv4', 'ipv6', 'ipv4-first', 'ipv6-first'])

export const eightBit = () => z.enum(['convert', 'send-anyway'])

export const sourceAddress = () =>
  texts(
    z.string().refine(text => isIP(text) !== 0, {
      error: ({ input }) => `"${String(input)}" is no IP address, such as 192.0.2.1 or 2001:db8::1`,
    }),
  )

/** An EHLO keyword (RFC 5321 §4.1.1.1): of others, too, since those are the ones that are offered in vain. */
const extension = z
  .string()
  .toUpperCase()
  .regex(/^[A-Z0-9][A-Z0-9-]*$/, 'is no keyword of EHLO, such as CHUNKING')
  .meta({ unit: 'keywords' })

/** How we go out by a hop; what is absent is as `outbound` says. */
export interface Face {
  readonly hostname?: string
  readonly sourceAddress?: readonly string[]
  readonly addressFamily?: AddressFamily
  readonly eightBit?: EightBit
  readonly without?: readonly string[]
}

/** The host that takes all our outgoing mail. */
export interface Smarthost extends Face {
  readonly host: string
  readonly port: number
  readonly tls: NextHop['tls']
  readonly pins?: readonly string[]
  readonly protocol: 'smtp' | 'lmtp'
  readonly username?: string
  readonly password?: string
  readonly token?: string
  readonly certificate?: boolean
  readonly kerberos?: Ticket
  readonly mechanisms?: readonly string[]
  readonly xforward: boolean
}

/** A named hop that is a host. */
export interface HostHop extends Smarthost {
  readonly weight?: number
  readonly senders: readonly string[]
}

/** A named hop without one: a way to the domains' own hosts. */
export interface MxHop extends Face {
  readonly port?: number
  readonly tls?: 'never' | 'opportunistic' | 'require'
  readonly senders: readonly string[]
}

export type HopSettings = HostHop | MxHop

const egress = {
  hostname: hostname().exactOptional().describe('Our name in EHLO.'),
  sourceAddress: sourceAddress()
    .exactOptional()
    .describe("Addresses of ours to connect from; of several at random one of the host's family."),
  addressFamily: addressFamily()
    .exactOptional()
    .describe('IPv4 or IPv6 alone, one before the other, or both in turn.'),
  eightBit: eightBit()
    .exactOptional()
    .describe('8-bit mail where it has no 8BITMIME: re-encoded, or sent as it is.'),
  without: z
    .array(extension)
    .exactOptional()
    .describe(
      'SMTP extensions that are not used though it offers them: a filter that hands on replies may know no `CHUNKING`.',
    ),
}

/** As `openssl x509 -fingerprint -sha256` prints it, or bare; kept with colons. */
const fingerprint = () =>
  z
    .string()
    .refine(text => parseFingerprint(text) !== undefined, {
      error:
        'is no SHA-256 of a certificate: 64 hexadecimal digits, as `openssl x509 -noout -fingerprint -sha256` prints them',
    })
    .transform(text => parseFingerprint(text) ?? '')

/** Fingerprints in place of a chain and a name. */
export const pins = () => texts(fingerprint()).exactOptional()

const login = {
  pins: pins().describe(
    'Fingerprints (SHA-256) of which its certificate has one: then neither who signed it nor its name is looked at. For one that signed its own.',
  ),
  protocol: z
    .enum(['smtp', 'lmtp'])
    .default('smtp')
    .describe('`lmtp` where it keeps the mailboxes itself (RFC 2033), such as Dovecot.'),
  username: z.string().min(1).exactOptional().describe('The name to log in with.'),
  password: secret().exactOptional().describe('Its password.'),
  token: secret()
    .exactOptional()
    .describe('An OAuth access token in place of a password (OAUTHBEARER, XOAUTH2).'),
  certificate: z
    .boolean()
    .default(false)
    .describe('Whether the certificate of `outbound.identity` is our login (EXTERNAL).'),
  kerberos: z
    .strictObject({
      cache: z
        .string()
        .min(1)
        .exactOptional()
        .describe('A cache of tickets that another program keeps fresh: `FILE:/run/mail.cc`.'),
      keytab: z
        .string()
        .min(1)
        .exactOptional()
        .describe('Our keys: tickets are got with them as they are needed.'),
      principal: z
        .string()
        .min(1)
        .exactOptional()
        .describe(
          'Who we are in the keytab or cache: `relay@EXAMPLE.ORG`; absent: the first there.',
        ),
      service: z
        .string()
        .min(1)
        .exactOptional()
        .describe("Its service, where that is not `smtp`; its host is the hop's `host`."),
      spnego: z
        .boolean()
        .default(false)
        .describe("Whether GSSAPI is spoken as Microsoft's servers do, by SPNEGO."),
    })
    .exactOptional()
    .describe('A Kerberos ticket is our login (GSSAPI, GSS-SPNEGO).'),
  mechanisms: z
    .array(mechanism)
    .exactOptional()
    .describe(
      'The only mechanisms that we use. Absent: the strongest of what it offers, but NTLM.',
    ),
  xforward: z
    .boolean()
    .default(false)
    .describe('Whether it is told by XFORWARD whom a message came from, if it offers that.'),
}

const host = () =>
  z
    .string()
    .min(1)
    .describe('Its name or address; or the path of a Unix socket, beginning with `/`.')

const port = () => z.int().min(1).max(65_535).exactOptional()

const tls = () => z.enum(['never', 'opportunistic', 'require', 'implicit']).exactOptional()

const TLS_MEANING =
  '`require` and `implicit` verify its certificate; `never` speaks clear text. Absent: `require`; `never` on a Unix socket.'

interface WrittenHop {
  readonly host: string
  readonly port?: number
  readonly tls?: 'never' | 'opportunistic' | 'require' | 'implicit'
  readonly protocol: 'smtp' | 'lmtp'
}

/** Port and TLS that go without saying. */
function completed<Written extends WrittenHop>(written: Written) {
  const { protocol, host } = written
  const port = written.port ?? (protocol === 'lmtp' ? 24 : 587)
  const usual = host.startsWith('/') ? ('never' as const) : ('require' as const)
  return { ...written, port, tls: written.tls ?? usual }
}

/** A name goes with a password or a token, and neither goes alone. */
const pairMissing = (value: { username?: string; password?: string; token?: string }) =>
  (value.username === undefined) !== (value.password === undefined && value.token === undefined)

export const PINS =
  'pins are for tls `require` or `implicit`: a hop that may be spoken to without it is not proven by them'

/** Where TLS need not be, a certificate proves nothing. */
export const pinsInVain = (value: { pins?: readonly string[] }, tls: string | undefined) =>
  value.pins !== undefined && tls !== 'require' && tls !== 'implicit'

const PAIR = 'username and password (or token) go together: write both, or neither'

export const smarthostSchema = z
  .union([
    z.string(),
    z.strictObject({
      host: host(),
      port: port().describe('Its port. Absent: 587, or 24 for LMTP.'),
      tls: tls().describe(TLS_MEANING),
      ...login,
      ...egress,
    }),
  ])
  .transform((value, context): Smarthost => {
    const fail = (message: string) => {
      context.issues.push({ code: 'custom', message, input: value })
      return z.NEVER
    }
    if (typeof value !== 'string') {
      if (pairMissing(value)) return fail(PAIR)
      const whole = completed(value)
      return pinsInVain(whole, whole.tls) ? fail(PINS) : whole
    }
    const parts = smarthostParts(value)
    if (parts === undefined) {
      return fail(`"${value}" is no HOST:PORT, such as relay.example.org:587 or [::1]:25`)
    }
    return { ...parts, protocol: 'smtp', xforward: false }
  })

/** `HOST:PORT` in its parts; undefined where it is none. */
export function smarthostParts(text: string) {
  const match = /^(\[[^\]]+\]|[^:\s]+):(\d{1,5})$/.exec(text)
  const port = Number(match?.[2])
  if (match === null || port < 1 || port > 65_535) return undefined
  const host = (match[1] as string).replace(/^\[|\]$/g, '')
  return { host, port, tls: 'opportunistic' as const }
}

const hop = z
  .strictObject({
    host: host()
      .exactOptional()
      .describe(
        "Its name or address; or the path of a Unix socket, beginning with `/`. Absent: each domain's own hosts, by MX.",
      ),
    port: port().describe('Its port. Absent: 587, 24 for LMTP, without a host `outbound.port`.'),
    tls: tls().describe(`${TLS_MEANING} Without a host: \`outbound.tls\`.`),
    ...login,
    ...egress,
    weight: z
      .int()
      .min(1)
      .max(1000)
      .exactOptional()
      .describe(
        'Its share: neighbours in a list of hops that all have one are tried in an order of chance.',
      ),
    senders: z
      .array(addressPattern())
      .default([])
      .describe('Whose mail goes by it where no rule says otherwise: patterns of senders.'),
  })
  .transform((value, context): HostHop | MxHop => {
    const fail = (message: string) => {
      context.issues.push({ code: 'custom', message, input: value })
      return z.NEVER
    }
    if (pairMissing(value)) return fail(PAIR)
    const { host, port, tls, ...rest } = value
    if (host !== undefined) {
      const whole = completed({ ...value, host })
      return pinsInVain(whole, whole.tls) ? fail(PINS) : whole
    }
    if (tls === 'implicit') return fail('without a host, tls cannot be implicit')
    for (const name of ['username', 'weight', 'pins'] as const) {
      if (value[name] !== undefined) return fail(`without a host, there is no ${name}`)
    }
    if (value.protocol === 'lmtp') return fail('without a host, protocol cannot be lmtp')
    return { ...rest, ...(port !== undefined && { port }), ...(tls !== undefined && { tls }) }
  })

export const hopsSchema = z.record(
  z.string().regex(/^[\w.-]{1,40}$/, 'is no name of at most 40 letters, digits, `-`, `_` and `.`'),
  hop,
)
