/** Where a recipient's mail goes next. Resolved at attempt time, never stored. */

/** Credentials of ours for a next hop that wants AUTH. */
export interface HopLogin {
  readonly username: string
  readonly password: string
}

export type Route =
  /** A mailbox here. */
  | { readonly kind: 'local' }
  /** The domain's own hosts, by MX or address record (RFC 5321 §5); or an address literal. */
  | { readonly kind: 'mx'; readonly domain: string }
  /** Kept until its customer asks for it (RFC 1985, RFC 2645). */
  | { readonly kind: 'onDemand'; readonly domain: string }
  /** A fixed next hop. `host` is a name (its addresses are used, no MX), an address, or the path of a Unix socket. */
  | {
      readonly kind: 'smarthost'
      readonly host: string
      readonly port: number
      /** 'never' speaks clear text; 'opportunistic' takes STARTTLS where offered; 'require' and 'implicit' verify. */
      readonly tls: 'never' | 'opportunistic' | 'require' | 'implicit'
      /** 'lmtp' where the hop keeps the mailboxes (RFC 2033); 'smtp' unless said. */
      readonly protocol?: 'smtp' | 'lmtp'
      readonly login?: HopLogin
      /** Tell it by XFORWARD whom a message came from, if it offers that. */
      readonly xforward?: boolean
    }

/** The name under which loads for one route are grouped, limited and pooled. */
export function routeKey(route: Route): string {
  switch (route.kind) {
    case 'local':
      return 'local'
    case 'onDemand':
      return `onDemand:${route.domain}`
    case 'mx':
      return `mx:${route.domain}`
    case 'smarthost':
      return `${route.protocol === 'lmtp' ? 'lmtp' : 'host'}:${route.host}:${route.port}`
  }
}
