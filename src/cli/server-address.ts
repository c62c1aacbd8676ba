/** Where `send` connects to and how it trusts what it finds there. */

import { isIPv6 } from 'node:net'
import { ExitError } from '../server/exit-error.ts'
import type { Connection, SecureOptions } from '../world/net.ts'
import { readText } from '../world/node/config-file.ts'
import { nodeNet } from '../world/node/net.ts'
import { addressesOf, connectUnix } from '../world/node/reach.ts'
import { EXIT } from './exit.ts'
import type { Face } from './face.ts'
import { localSockets } from './local-sockets.ts'

export const TLS_MODES = ['auto', 'starttls', 'implicit', 'none'] as const
export type TlsMode = (typeof TLS_MODES)[number]

export interface ServerFlags {
  /** `HOST`, `HOST:PORT`, or the path of a Unix socket; absent: this machine's local socket. */
  readonly server?: string
  readonly tls?: TlsMode
  readonly insecure?: boolean
  readonly ca?: string
  readonly user?: string
  readonly data?: string
  readonly timeoutMs: number
}

export interface Reached {
  readonly connection: Connection
  readonly tls: SecureOptions
  readonly startTls: 'never' | 'opportunistic' | 'require'
  /** Nobody can listen in between: a Unix socket, loopback. */
  readonly trustedPlace: boolean
}

/** Connects; throws an `ExitError` 75 where nothing answers, 78 where TLS is not to be trusted. */
export async function reachServer(face: Face, flags: ServerFlags): Promise<Reached> {
  const mode = flags.tls ?? (flags.server?.endsWith(':465') === true ? 'implicit' : 'auto')
  const path = flags.server ?? localSockets(face, flags.data)[0] ?? ''
  if (flags.server === undefined || flags.server.includes('/')) {
    const connection = await orTempFail(connectUnix(path, flags.timeoutMs))
    const tls = { side: 'client', servername: 'localhost', trust: 'opportunistic' } as const
    return { connection, tls, startTls: 'never', trustedPlace: true }
  }
  const { host, port } = parseServer(flags.server, mode, flags.user !== undefined)
  const connection = await connectTo(host, port, flags.timeoutMs)
  const trustedPlace = /^(?:127\.|::1$)/.test(connection.remote.address)
  const tls = secureOptions(flags, host, mode, trustedPlace)
  if (mode === 'implicit') {
    try {
      await connection.secure(tls)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new ExitError(
        EXIT.unavailable,
        `TLS with ${host} failed: ${reason}; --ca FILE trusts its certificate, --insecure takes any`,
      )
    }
  }
  const startTls = mode === 'starttls' ? 'require' : mode === 'auto' ? 'opportunistic' : 'never'
  return { connection, tls, startTls, trustedPlace }
}

/** Connects to the first address of a host that answers. */
export async function connectTo(
  host: string,
  port: number,
  timeoutMs: number,
): Promise<Connection> {
  const addresses = await addressesOf(host)
  if (addresses.length === 0) throw new ExitError(EXIT.noHost, `${host} has no address`)
  return firstOf(addresses, port, timeoutMs)
}

function secureOptions(
  flags: ServerFlags,
  host: string,
  mode: TlsMode,
  trustedPlace: boolean,
): SecureOptions {
  const roots = flags.ca === undefined ? undefined : readRoots(flags.ca)
  // A password or a wish for TLS deserves a certificate that is right; loopback needs none.
  const wanted = flags.user !== undefined || mode === 'starttls' || mode === 'implicit'
  const verify = roots !== undefined || (wanted && !trustedPlace)
  return {
    side: 'client',
    servername: host,
    trust: verify && flags.insecure !== true ? 'verify' : 'opportunistic',
    ...(roots !== undefined && { roots }),
  }
}

function readRoots(file: string): string {
  const read = readText(file)
  if ('text' in read) return read.text
  throw new ExitError(EXIT.noInput, `${file}: ${read.reason}`)
}

/** `HOST`, `HOST:PORT`, `[::1]:PORT` and `::1`. */
export function parseServer(
  text: string,
  mode: TlsMode,
  login: boolean,
): { readonly host: string; readonly port: number } {
  const fallback = mode === 'implicit' ? 465 : login ? 587 : 25
  return hostAndPort(text, fallback)
}

/** `HOST` or `HOST:PORT`, and what else it may be. */
export function hostAndPort(
  text: string,
  fallback: number,
): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text)
  if (match === null) {
    if (isIPv6(text)) return { host: text, port: fallback }
    throw new ExitError(EXIT.usage, `${text} is no HOST or HOST:PORT`)
  }
  const port = match[3] === undefined ? fallback : Number(match[3])
  if (port < 1 || port > 65_535) throw new ExitError(EXIT.usage, `${port} is no port`)
  return { host: (match[1] ?? match[2]) as string, port }
}

async function firstOf(
  addresses: readonly string[],
  port: number,
  timeoutMs: number,
): Promise<Connection> {
  const reasons: string[] = []
  for (const address of addresses) {
    try {
      return await nodeNet.connect({ address, port, timeoutMs })
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error))
    }
  }
  throw new ExitError(EXIT.tempFail, reasons.join('; '))
}

async function orTempFail(connecting: Promise<Connection>): Promise<Connection> {
  try {
    return await connecting
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ExitError(
      EXIT.tempFail,
      `the server is not reachable (${reason}): is it running? --data FOLDER or --server HOST:PORT names another`,
    )
  }
}
