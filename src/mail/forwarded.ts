/**
 * Who a message comes from, as a trusted peer in between tells it (XFORWARD): for the ledger, hooks and
 * the next hop alone; no policy of ours rests on it. Made by the server session, written into the ledger
 * by inbound/, told to a smart host by smtp/client.
 */

/** What is not known is absent. */
export interface Forwarded {
  readonly name?: string
  /** Mostly an IP address, without brackets or prefix. */
  readonly address?: string
  readonly port?: number
  readonly protocol?: string
  readonly hello?: string
  /** The message's id where it was before. */
  readonly ident?: string
  readonly source?: 'LOCAL' | 'REMOTE'
}

/** Who handed a message in, as the ledger has it: `mx.example [192.0.2.1]`, and by way of whom. */
export function formatPeer(hello: string, address: string, forwarded?: Forwarded): string {
  const peer = `${hello} [${address}]`
  if (forwarded === undefined) return peer
  const { hello: first = forwarded.name ?? '', address: from = '' } = forwarded
  return `${first} [${from}] by way of ${peer}`
}

/** What the ledger has of the one it came from; an address of a socket or of nobody is none. */
export function parsePeer(text: string): Forwarded {
  const [, hello = '', address = ''] = /^(.*?) \[([^\]]*)\]/.exec(text) ?? []
  return { ...(hello && { hello }), ...(/[.:]/.test(address) && { address }) }
}
