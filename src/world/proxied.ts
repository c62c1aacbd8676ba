/**
 * A connection that comes through a proxy: reads the PROXY header (wire/proxy.ts) that must come first,
 * within its time, and gives the connection as the client's own. Called by who serves listeners, for
 * peers in networks that the listener trusts and for no other; what follows the header is untouched, TLS
 * as well.
 */
import type { Endpoint, TlsFacts } from '../wire/effect.ts'
import type { Output } from '../wire/output.ts'
import { type ProxyHeader, ProxyReader } from '../wire/proxy.ts'
import type { Clock } from './clock.ts'
import type { Connection, ConnectionEvents, SecureOptions } from './net.ts'

/** The connection behind the header, or why there is none: then it is closed already. */
export function behindProxy(
  connection: Connection,
  clock: Clock,
  patienceMs: number,
): Promise<Connection | { readonly fault: string }> {
  return new Promise(resolve => {
    const reader = new ProxyReader()
    let settled = false
    const settle = (result: Connection | { readonly fault: string }) => {
      if (settled) return
      settled = true
      late.cancel()
      if ('fault' in result) connection.destroy()
      resolve(result)
    }
    const late = clock.after(patienceMs, () => settle({ fault: 'no PROXY header in time' }))
    connection.open({
      received(octets) {
        const header = settled ? undefined : reader.push(octets)
        if (header === undefined) return
        if (header.kind === 'fault') return settle({ fault: header.why })
        connection.release(header.rest)
        settle(new ProxiedConnection(connection, header))
      },
      ended: () => settle({ fault: 'closed before a PROXY header' }),
      drained() {},
      closed: () => settle({ fault: 'closed before a PROXY header' }),
    })
  })
}

/** The proxy's connection under the ends, and perhaps the TLS, that the header tells. */
class ProxiedConnection implements Connection {
  readonly remote: Endpoint
  readonly local: Endpoint
  readonly #connection: Connection
  readonly #tls: TlsFacts | undefined

  constructor(connection: Connection, header: Extract<ProxyHeader, { kind: 'header' }>) {
    this.#connection = connection
    this.#tls = header.tls
    this.remote = header.ends?.remote ?? connection.remote
    this.local = header.ends?.local ?? connection.local
  }

  /** TLS that ends at the proxy protects what the client sends as far as it is trusted. */
  get tls(): TlsFacts | undefined {
    return this.#connection.tls ?? this.#tls
  }

  open(events: ConnectionEvents): void {
    this.#connection.open(events)
  }

  release(unread: Uint8Array): void {
    this.#connection.release(unread)
  }

  write(output: Output | readonly Output[], left?: () => void): boolean {
    return this.#connection.write(output, left)
  }

  pause(): void {
    this.#connection.pause()
  }

  resume(): void {
    this.#connection.resume()
  }

  secure(options: SecureOptions): Promise<TlsFacts> {
    return this.#connection.secure(options)
  }

  end(): void {
    this.#connection.end()
  }

  destroy(): void {
    this.#connection.destroy()
  }
}
