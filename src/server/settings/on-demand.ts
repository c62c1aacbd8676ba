/**
 * The settings of mail that is asked for: whose it is that we keep (as provider), and what we ask others
 * for (as customer). RFC 1985, RFC 2645. Used by settings.ts.
 */
import { z } from 'zod'
import { PINS, pins, pinsInVain } from './hops.ts'
import { duration, emailAddress, hostname, hostPort, networks, secret } from './kinds.ts'

/** `onDemand`: a customer's domain, and who may ask for its mail. */
export const onDemandSchema = z.record(
  hostname(),
  z.strictObject({
    accounts: z
      .array(emailAddress())
      .default([])
      .describe('Accounts here that may ask for it after login: ATRN, TURN, ETRN.'),
    certificates: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Verified certificates that may ask for it in place of an account: common names, or SHA-256 fingerprints.',
      ),
    peers: networks().describe('Networks from which it may be started by ETRN without a login.'),
    host: hostPort(25)
      .exactOptional()
      .describe("Where ETRN sends it, `HOST` or `HOST:PORT`; absent: the domain's own hosts."),
    secret: secret()
      .exactOptional()
      .describe('The secret of its accounts for CRAM-MD5 on the ODMR listener (RFC 2195).'),
    wait: z
      .boolean()
      .default(true)
      .describe('Whether it waits until it is asked for; else it is tried on schedule too.'),
  }),
)

/** `fetch`: a provider who keeps mail for us, and how we ask for it. */
export const fetchSchema = z.array(
  z
    .strictObject({
      host: z.string().min(1).describe("The provider's host: its name or address."),
      port: z
        .int()
        .min(1)
        .max(65_535)
        .exactOptional()
        .describe('Its port; absent: 366 for ATRN, 25 for ETRN and TURN.'),
      by: z.enum(['atrn', 'etrn', 'turn']).default('atrn').describe('How it is asked.'),
      domains: z
        .array(z.string().regex(/^[@#]?[^\s@[\]<>"\\,]+$/, 'is no domain, such as example.org'))
        .default([])
        .describe('Which domains are asked for; none: all of ours with ETRN, else all it has.'),
      tls: z
        .enum(['never', 'opportunistic', 'require', 'implicit'])
        .default('require')
        .describe('`require` and `implicit` verify its certificate; `never` speaks clear text.'),
      pins: pins().describe(
        'Fingerprints (SHA-256) of which its certificate has one: then neither who signed it nor its name is looked at.',
      ),
      username: z.string().min(1).exactOptional().describe('The name to log in with.'),
      password: secret().exactOptional().describe('Its password.'),
      every: duration(1000).prefault('10m').describe('How often it is asked.'),
    })
    .refine(({ username, password }) => (username === undefined) === (password === undefined), {
      message: 'username and password go together: write both, or neither',
    })
    .refine(value => !pinsInVain(value, value.tls), { message: PINS })
    .refine(({ by, username }) => by !== 'atrn' || username !== undefined, {
      message: 'ATRN needs a login: write username and password',
    }),
)
