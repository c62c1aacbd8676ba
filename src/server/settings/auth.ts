/** The settings of logins: by which mechanisms, and who may be whom. Used by settings.ts. */
import { z } from 'zod'
import { mechanismNames } from '../../sasl/registry.ts'
import {
  httpSchema,
  kerberosSchema,
  ldapSchema,
  oauthSchema,
  saslauthdSchema,
} from './authority.ts'
import { emailAddress, secret } from './kinds.ts'

/** SASL mechanisms, and POP3's own command that needs what they need. */
export const mechanism = z
  .preprocess(
    (written: string): unknown => (typeof written === 'string' ? written.toUpperCase() : written),
    z.enum([...mechanismNames, 'APOP']),
  )
  .meta({ unit: 'keywords' })

export const mechanisms = () =>
  z
    .array(mechanism)
    .exactOptional()
    .describe('SASL mechanisms of this listener, in order; absent: those of `auth.mechanisms`.')

/** `auth`, with its defaults. */
export const authSchema = z.strictObject({
  mechanisms: z
    .array(mechanism)
    .exactOptional()
    .describe(
      'SASL mechanisms, in the order in which they are offered; and `APOP` for POP3. Absent: EXTERNAL, with `kerberos` GSSAPI, SCRAM-SHA-512 and SCRAM-SHA-256 (each with -PLUS), PLAIN, LOGIN; with `oauth` OAUTHBEARER and XOAUTH2; without SCRAM where others than we know passwords. What a mechanism needs of a password is kept once it is named here, and the weakest form kept is the strength of all (docs/security.md).',
    ),
  passwordKey: secret()
    .exactOptional()
    .describe(
      'Encrypts the passwords that CRAM-MD5 and APOP must know. Absent: a key that lies in the database beside them.',
    ),
  actAs: z
    .record(emailAddress(), z.array(z.union([z.literal('*'), emailAddress()])))
    .default({})
    .describe(
      'Accounts that may log in as others (authorization identity, RFC 4616): as whom; `*` is everybody.',
    ),
  certificates: z
    .record(z.string().min(1), emailAddress())
    .default({})
    .describe(
      'Whose a verified client certificate is (EXTERNAL), by SHA-256 fingerprint, common name or whole subject; others are of the address in them.',
    ),
  ldap: ldapSchema
    .exactOptional()
    .describe(
      'A directory that knows names and passwords: who binds there is let in, and has an account.',
    ),
  saslauthd: saslauthdSchema
    .exactOptional()
    .describe(
      'PAM, by saslauthd of Cyrus SASL: who has an account of the system is let in, and has one here.',
    ),
  http: httpSchema.exactOptional().describe('A service of yours that knows names and passwords.'),
  oauth: oauthSchema.exactOptional().describe('Who gives access tokens (OAUTHBEARER, XOAUTH2).'),
  kerberos: kerberosSchema
    .exactOptional()
    .describe(
      "Kerberos (GSSAPI, GSS-SPNEGO) by the system's MIT library: who has a ticket is let in, and has an account.",
    ),
  anonymous: emailAddress()
    .exactOptional()
    .describe(
      'The account that ANONYMOUS gives to anybody, where that mechanism is named. Absent: none.',
    ),
})
