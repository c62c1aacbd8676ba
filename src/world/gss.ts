/**
 * Security contexts of the system's GSS library (RFC 2743) as a port: Kerberos, raw (RFC 4121) or in SPNEGO
 * (RFC 4178). Asked on behalf of sasl/gssapi.ts by whoever holds it (world/node/gss.ts). What a peer sends is
 * answered with a value; the library's memory is never seen here.
 */

/** What a token is of: Kerberos itself, or the negotiation with Kerberos in it. */
export type GssForm = 'krb5' | 'spnego'

/** A context that the library keeps. Who has one gives it back: at the end, or where nobody goes on with it. */
export interface GssContext {
  readonly id: number
  free(): void
}

export type GssStep = Accept | Initiate | Protect

/** The server's side: the next token of a client, of the first one's form for all of them. */
export interface Accept {
  readonly kind: 'accept'
  readonly form: GssForm
  readonly context?: GssContext
  readonly token: Uint8Array
  /** `smtp`, `imap`, `pop`: the service whose key is used (RFC 4752 §3). */
  readonly service: string
  /**
   * Application data of channel bindings (RFC 5056), of which a client that names one must name one. Looked at with
   * the first token; none: whatever it names is as good as nothing.
   */
  readonly bindings: readonly Uint8Array[]
}

/** The client's side: no token begins it. */
export interface Initiate {
  readonly kind: 'initiate'
  readonly form: GssForm
  readonly context?: GssContext
  readonly token: Uint8Array
  /** `smtp@mx.example.org` (RFC 2743 §4.1). */
  readonly target: string
  readonly binding?: Uint8Array
  readonly ticket: Ticket
}

export interface Protect {
  readonly kind: 'wrap' | 'unwrap'
  readonly context: GssContext
  readonly octets: Uint8Array
}

/** Whence a client has its credentials; all absent: what the library finds by itself. */
export interface Ticket {
  /** A cache that others keep fresh (kinit, k5start): `FILE:/run/postrider/cc`. */
  readonly cache?: string
  /** A keytab of ours to get tickets with. */
  readonly keytab?: string
  /** Whom we are in it: `relay@EXAMPLE.ORG`. */
  readonly principal?: string
  /** The server's service in place of the protocol's: some are all `host`. */
  readonly service?: string
  /** True: GSSAPI is begun with SPNEGO, as Microsoft's servers have it. */
  readonly spnego?: boolean
}

export type GssAnswer =
  | {
      readonly kind: 'gss'
      readonly context: GssContext
      /** What goes to the peer (a token), or what was wrapped or unwrapped. */
      readonly octets: Uint8Array
      /** True once the context is established; then what it is good for is known. */
      readonly complete: boolean
      readonly established?: Established
    }
  /** What the peer sent is refused; its context is gone. */
  | { readonly kind: 'denied'; readonly why: string }
  | { readonly kind: 'unavailable'; readonly why: string }

export interface Established {
  /** Who the other is, as the library writes it: `alice@EXAMPLE.ORG`. */
  readonly principal: string
  readonly mutual: boolean
  readonly integrity: boolean
  readonly confidentiality: boolean
  /** Whether both have named the same channel binding. */
  readonly bound: boolean
}

export interface Gss {
  /** Never rejects. */
  step(step: GssStep): Promise<GssAnswer>
}
