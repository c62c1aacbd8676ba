/** Ordered streams of octets as a port: TCP, TLS, Unix sockets, stdio, memory. */
import type { Endpoint, TlsFacts } from '../wire/effect.ts'
import type { Output } from '../wire/output.ts'

/** What a connection tells its owner. `closed` is called exactly once and last. */
export interface ConnectionEvents {
  /** The octets are lent until the call returns: who keeps any of them copies them. */
  received(octets: Uint8Array): void
  /** The peer will send no more; we may still write. */
  ended(): void
  /** The write buffer has emptied after `write` returned false. */
  drained(): void
  closed(error?: Error): void
}

export interface Connection {
  readonly remote: Endpoint
  readonly local: Endpoint
  /** Present once TLS is on. */
  readonly tls?: TlsFacts | undefined
  /** Names the receiver of the events; reading starts with this call. */
  open(events: ConnectionEvents): void
  /**
   * Ends what `open` began, from within `received`: the octets are put back, and whoever calls `open`
   * or `secure` next gets them first.
   */
  release(unread: Uint8Array): void
  /**
   * Takes octets or text (UTF-8), of several pieces all at once. False means: wait for `drained` before writing more.
   * @param left called once nobody looks at the octets any more; never where the connection ends before
   */
  write(output: Output | readonly Output[], left?: () => void): boolean
  pause(): void
  resume(): void
  /** Turns the connection into a TLS one; rejects (and closes) if the handshake fails. */
  secure(options: SecureOptions): Promise<TlsFacts>
  /** Sends what is written, then our end of stream, then closes. */
  end(): void
  /** Closes at once; what is not yet sent is lost. */
  destroy(): void
}

/** TLS for one side of a connection. */
export type SecureOptions =
  | {
      readonly side: 'server'
      readonly identity: ServerIdentity
      /** Asks the client for a certificate of its own. */
      readonly clients?: ClientCertificates
    }
  | {
      readonly side: 'client'
      /** SNI, and the name to verify. */
      readonly servername: string
      /** 'opportunistic' takes any certificate (RFC 7435); 'verify' demands a trusted chain and name. */
      readonly trust: 'opportunistic' | 'verify'
      /** Fingerprints as in TlsFacts: its certificate is one of these, and neither chain nor name is looked at. */
      readonly pins?: readonly string[]
      /** Further trusted roots, PEM. */
      readonly roots?: string
      readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
      /** The certificate we show where the server asks for one, PEM. */
      readonly own?: { readonly certificate: string; readonly key: string }
      /** The facts are to tell the certificates that were shown. */
      readonly chain?: boolean
    }

export interface ClientCertificates {
  /** The roots that count, PEM; the system's do not. */
  readonly roots: string
  /** Without one that these roots verify there is no TLS. */
  readonly required: boolean
}

/** The certificates a server shows; replaced as a whole when the files change. */
export interface ServerIdentity {
  /** Set where there are several certificates, of which the client's server name chooses. */
  readonly several?: boolean
  /**
   * The secure context of the moment, opaque outside the adapter that made it: for the name a client asks for
   * (RFC 6066 §3), else the first; and for the roots of clients' certificates.
   */
  current(wanted?: { readonly servername?: string; readonly clientRoots?: string }): object
  /** Whether a certificate of ours is good for a name; absent where nobody can tell. */
  covers?(name: string): boolean
}

/** Where to listen: a TCP address and port (0 picks a free one) or the path of a Unix socket. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string; readonly mode: number }
  | { readonly kind: 'inherited'; readonly fd: number }

export interface Listening {
  readonly local: Endpoint
  /** Stops accepting; connections that stand are left alone. */
  close(): Promise<void>
}

export interface ConnectOptions {
  /** An IP address; or the path of a Unix socket, beginning with `/`, and then no port counts. */
  readonly address: string
  readonly port: number
  readonly timeoutMs: number
  /** The source address to bind, if not any. */
  readonly localAddress?: string
}

export interface Net {
  listen(where: ListenAddress, accept: (connection: Connection) => void): Promise<Listening>
  /** Rejects with `ConnectError` when no connection came about. */
  connect(options: ConnectOptions): Promise<Connection>
}

/** Why a connection did not come about. `code` is the system's (ECONNREFUSED, ETIMEDOUT ...). */
export class ConnectError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}
