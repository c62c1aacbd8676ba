/**
 * The mechanisms we speak: to add one is a file and a row, its place being its strength.
 *
 * Read by the protocol rooms: a server finds the mechanism a client names, a client the best of
 * those a server offers.
 */
import { anonymousClient, anonymousServer } from './anonymous.ts'
import { type Channel, fits } from './channel.ts'
import { cramMd5Client, cramMd5Server } from './cram-md5.ts'
import { digestMd5Client, digestMd5Server } from './digest-md5.ts'
import { externalClient, externalServer } from './external.ts'
import { gssapiServer, gssSpnegoServer } from './gssapi.ts'
import { gssapiClient, gssSpnegoClient } from './gssapi-client.ts'
import { loginClient, loginServer } from './login.ts'
import type { ClientMechanism, Credentials, ServerMechanism } from './mechanism.ts'
import { ntlmServer } from './ntlm.ts'
import { ntlmClient } from './ntlm-client.ts'
import { oauthBearerClient, oauthBearerServer } from './oauthbearer.ts'
import { plainClient, plainServer } from './plain.ts'
import { scramServer } from './scram.ts'
import { scramClient } from './scram-client.ts'
import { sha1, sha256, sha512 } from './scram-keys.ts'
import { spnegoNtlmClient } from './spnego-ntlm.ts'
import { xoauth2Client, xoauth2Server } from './xoauth2.ts'

interface Row {
  readonly server: ServerMechanism
  readonly client: ClientMechanism
  /** Only where it is asked for by name. */
  readonly asked?: true
}

/** In the order in which a client prefers them, and in which a server offers them. */
const rows: readonly Row[] = [
  { server: externalServer, client: externalClient },
  { server: gssapiServer, client: gssapiClient },
  { server: gssSpnegoServer, client: gssSpnegoClient },
  { server: oauthBearerServer, client: oauthBearerClient },
  { server: xoauth2Server, client: xoauth2Client },
  { server: scramServer(sha512, 'bound'), client: scramClient(sha512, 'bound') },
  { server: scramServer(sha256, 'bound'), client: scramClient(sha256, 'bound') },
  { server: scramServer(sha1, 'bound'), client: scramClient(sha1, 'bound') },
  { server: scramServer(sha512, 'unbound'), client: scramClient(sha512, 'unbound') },
  { server: scramServer(sha256, 'unbound'), client: scramClient(sha256, 'unbound') },
  { server: scramServer(sha1, 'unbound'), client: scramClient(sha1, 'unbound') },
  { server: plainServer, client: plainClient },
  { server: loginServer, client: loginClient },
  // Few servers have the secret it needs: under TLS a password that is sent is surer to be known.
  { server: digestMd5Server, client: digestMd5Client },
  { server: cramMd5Server, client: cramMd5Client },
  // What is kept for it is good for whatever else speaks it.
  { server: ntlmServer, client: ntlmClient, asked: true },
  // With a password in place of a ticket.
  { server: gssSpnegoServer, client: spnegoNtlmClient, asked: true },
  // Who means to be somebody must never end as nobody.
  { server: anonymousServer, client: anonymousClient, asked: true },
]

/** Names of all mechanisms, strongest first. */
export const mechanismNames: readonly string[] = [...new Set(rows.map(row => row.server.name))]

/** The server side of a mechanism. Names are registered in upper case; clients write any (RFC 4422 §3.1). */
export function serverMechanism(name: string): ServerMechanism | undefined {
  const wanted = name.toUpperCase()
  return rows.find(row => row.server.name === wanted)?.server
}

/** The client side of a mechanism. */
export function clientMechanism(name: string): ClientMechanism | undefined {
  const wanted = name.toUpperCase()
  return rows.find(row => row.client.name === wanted)?.client
}

/** Of a listener's mechanisms those that may run on a connection, in the listener's order. */
export function offeredOn(
  names: readonly string[],
  channel: Channel,
  find: (name: string) => ServerMechanism | undefined = serverMechanism,
): readonly ServerMechanism[] {
  return names
    .map(name => find(name))
    .filter(mechanism => mechanism !== undefined)
    .filter(mechanism => fits(mechanism, channel))
}

/**
 * The strongest mechanism among those a server offers for what we log in with; undefined where none is
 * fit. One that sends the password itself is fit only under TLS (RFC 4954 §4).
 */
export function strongest(
  offered: readonly string[],
  channel: Channel,
  credentials: Credentials,
): ClientMechanism | undefined {
  const names = new Set(offered.map(name => name.toUpperCase()))
  const allowed = credentials.mechanisms?.map(name => name.toUpperCase())
  const has = {
    password: credentials.password !== undefined,
    token: credentials.token !== undefined,
    certificate: credentials.certificate === true,
    ticket: credentials.ticket !== undefined,
  }
  const row = rows.find(
    ({ client, asked }) =>
      names.has(client.name) &&
      has[client.by] &&
      (allowed === undefined ? !asked : allowed.includes(client.name)) &&
      fits(client, channel),
  )
  return row?.client
}
