/** The settings of who else knows names and passwords (`auth.ldap`, `auth.http`, `auth.oauth`). */
import { z } from 'zod'
import { duration, emailAddress, hostname, secret } from './kinds.ts'

/** An URL of these schemes; one in the clear only where the other end is this machine. */
const url = (secure: string, clear: string) =>
  z.string().refine(
    text => {
      const parsed = URL.canParse(text) ? new URL(text) : undefined
      const here = /^(?:localhost|127\.[0-9.]+|\[::1\])$/.test(parsed?.hostname ?? '')
      return parsed?.protocol === secure || (parsed?.protocol === clear && here)
    },
    { message: `is no ${secure}// URL (${clear}// only towards this machine)` },
  )

const timeout = () => duration(100).prefault('5s').describe('How long one question may take.')

export const ldapSchema = z.strictObject({
  url: z
    .string()
    .regex(/^ldaps?:\/\/[^\s/]+$/, 'is no ldap://HOST:PORT or ldaps://HOST:PORT')
    .describe('The directory.'),
  startTls: z
    .boolean()
    .default(true)
    .describe(
      'Whether ldap:// is secured by StartTLS before anything is said; not towards this machine.',
    ),
  roots: z
    .string()
    .min(1)
    .exactOptional()
    .describe('PEM file: further authorities for its certificate.'),
  bindDn: z.string().min(1).exactOptional().describe('Whom we search as; absent: as nobody.'),
  bindPassword: secret().exactOptional().describe('The password of `bindDn`.'),
  base: z.string().describe('Where the search begins: `ou=people,dc=example,dc=org`.'),
  filter: z
    .string()
    .default('(mail=%u)')
    .describe(
      'Finds who logs in: `%u` is the whole name, `%n` what stands before its @, `%d` behind it; all escaped.',
    ),
  mail: z.string().default('mail').describe("The attribute that has the account's address."),
  aliases: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Attributes with further addresses that lead to the account, such as `mailAlternateAddress`.',
    ),
  group: z
    .string()
    .exactOptional()
    .describe('A filter that must find something for who logs in: `(&(cn=mail)(member=%dn))`.'),
  timeout: timeout(),
})

export const httpSchema = z.strictObject({
  url: url('https:', 'http:').describe(
    'Is asked by POST with JSON `username`, `password`, `service`; answers 200 with `address`, 401 or 403 for a wrong password, 404 for a name it does not know.',
  ),
  secret: secret().exactOptional().describe('Sent as `Authorization: Bearer`.'),
  timeout: timeout(),
})

export const oauthSchema = z
  .strictObject({
    issuer: z.string().min(1).describe('Who gives the tokens: what stands in `iss`.'),
    audience: z
      .array(z.string().min(1))
      .min(1)
      .exactOptional()
      .describe(
        'Of which one must stand in `aud`. Absent: any, which takes tokens meant for others.',
      ),
    jwks: url('https:', 'http:')
      .exactOptional()
      .describe('The keys that tokens (JWT) are signed with.'),
    introspection: z
      .strictObject({
        url: url('https:', 'http:').describe('The endpoint.'),
        clientId: z.string().min(1).describe('Our name there.'),
        clientSecret: secret().describe('Its secret.'),
      })
      .exactOptional()
      .describe(
        'Asks about each token in place of looking at it (RFC 7662); answers are kept a minute.',
      ),
    scopes: z.array(z.string().min(1)).default([]).describe('What must all stand in `scope`.'),
    claims: z
      .array(z.string().min(1))
      .min(1)
      .default(['email'])
      .describe("Where the account's address stands in a token; the first that is there counts."),
    configuration: z
      .string()
      .min(1)
      .exactOptional()
      .describe(
        'Told to clients whose token is refused; absent: `.well-known/openid-configuration` of the issuer.',
      ),
    timeout: timeout(),
  })
  .refine(({ jwks, introspection }) => (jwks === undefined) !== (introspection === undefined), {
    message: 'write jwks or introspection: one of them says which tokens are good',
  })

export const kerberosSchema = z.strictObject({
  keytab: z
    .string()
    .min(1)
    .exactOptional()
    .describe(
      "The keys of our services, `smtp/HOST@REALM`, `imap/HOST@REALM` and `pop/HOST@REALM`: a file that the server may read. Absent: the system's own (`KRB5_KTNAME`, /etc/krb5.keytab).",
    ),
  service: z
    .string()
    .regex(/^(?:\*|[A-Za-z][A-Za-z0-9-]*)$/, 'is no name of a service')
    .exactOptional()
    .describe('The service whose key is used for all protocols; `*`: any in the keytab.'),
  realms: z
    .record(z.string().min(1), hostname())
    .default({})
    .describe(
      'Which domain the people of a realm are of: `{"AD.EXAMPLE.ORG": "example.org"}`; others are nobody. Absent: the domain of the same name.',
    ),
  principals: z
    .record(z.string().min(1), emailAddress())
    .default({})
    .describe('Accounts of single principals, such as `alice/admin@EXAMPLE.ORG`; they come first.'),
  library: z
    .string()
    .min(1)
    .exactOptional()
    .describe('The file of libgssapi_krb5, where it is not found by its name.'),
})

export const saslauthdSchema = z.strictObject({
  path: z
    .string()
    .startsWith('/', 'is no absolute path')
    .default('/run/saslauthd/mux')
    .describe('Its Unix socket, which the server must be able to open.'),
  service: z.string().min(1).default('smtp').describe('The service of PAM: a file in /etc/pam.d.'),
  domains: z
    .array(hostname())
    .min(1)
    .describe('Of which domains its users are: names of a system have none.'),
  whole: z
    .boolean()
    .default(false)
    .describe('Whether it is given the whole address in place of what stands before its @.'),
  timeout: timeout(),
})

export type SaslauthdSettings = z.output<typeof saslauthdSchema>
export type KerberosSettings = z.output<typeof kerberosSchema>
export type LdapSettings = z.output<typeof ldapSchema>
export type HttpSettings = z.output<typeof httpSchema>
export type OauthSettings = z.output<typeof oauthSchema>
