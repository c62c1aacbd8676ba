/**
 * The mechanisms we speak: to add one is a file and a row, its place being its strength.
 *
 * Read by the protocol rooms: a server finds the mechanism a client names, a client the best of
 * those a server offers.
 */
import { cramMd5Client, cramMd5Server } from './cram-md5.ts'
import { loginClient, loginServer } from './login.ts'
import type { ClientMechanism, ServerMechanism } from './mechanism.ts'
import { plainClient, plainServer } from './plain.ts'
import { scramSha256Client, scramSha256Server } from './scram.ts'

interface Row {
  readonly server: ServerMechanism
  readonly client: ClientMechanism
}

/** In the order in which a client prefers them. */
const rows: readonly Row[] = [
  { server: scramSha256Server, client: scramSha256Client },
  { server: plainServer, client: plainClient },
  { server: loginServer, client: loginClient },
  // Few servers have the secret it needs: under TLS a password that is sent is surer to be known.
  { server: cramMd5Server, client: cramMd5Client },
]

/** Names of all mechanisms, strongest first. */
export const mechanismNames: readonly string[] = rows.map(row => row.server.name)

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

/**
 * The strongest mechanism among those a server offers; undefined where none is fit. One that sends
 * the password itself is fit only under TLS (RFC 4954 §4).
 */
export function strongest(
  offered: readonly string[],
  channel: { readonly tls: boolean },
): ClientMechanism | undefined {
  const names = new Set(offered.map(name => name.toUpperCase()))
  const row = rows.find(
    ({ client }) => names.has(client.name) && (channel.tls || !client.plaintext),
  )
  return row?.client
}
