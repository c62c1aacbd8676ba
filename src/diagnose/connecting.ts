/** The first steps towards any server: the connect and TLS from the first octet, each timed and written down. */
import type { Host } from '../transport/hosts.ts'
import { ConnectError, type Connection, type SecureOptions } from '../world/net.ts'
import type { DisklessWorld } from '../world/world.ts'
import type { Transcript } from './transcript.ts'

/** How a connect went; `fault` is the system's code (ECONNREFUSED). */
export interface Connected {
  readonly tookMs: number
  readonly fault?: string
  readonly connection?: Connection
}

/** Never rejects. */
export async function connectTo(
  { clock, net }: DisklessWorld,
  { host, port, connectTimeoutMs }: { host: Host; port: number; connectTimeoutMs: number },
  transcript: Transcript,
): Promise<Connected> {
  const { address } = host
  const startedAt = clock.monotonic()
  try {
    const connection = await net.connect({ address, port, timeoutMs: connectTimeoutMs })
    const tookMs = clock.monotonic() - startedAt
    transcript.note(`connected to ${address} port ${port}`)
    transcript.begin()
    return { tookMs, connection }
  } catch (error) {
    const fault = error instanceof ConnectError ? error.code : String(error)
    transcript.note(`no connection to ${address} port ${port}: ${fault}`)
    return { tookMs: clock.monotonic() - startedAt, fault }
  }
}

/** TLS from the first octet; what is wrong with it, if it is: then the connection is closed. */
export async function secureNow(
  connection: Connection,
  options: SecureOptions,
  transcript: Transcript,
): Promise<string | undefined> {
  try {
    transcript.secured(await connection.secure(options))
    return undefined
  } catch (error) {
    connection.destroy()
    const fault = error instanceof Error ? error.message : String(error)
    transcript.note(`no TLS: ${fault}`)
    return fault
  }
}
