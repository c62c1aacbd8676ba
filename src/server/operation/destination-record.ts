/** What the command line may ask of destinations: a part of the page of operations (server/operation.ts). Types only. */

/** What is known of a destination, a rule of shaping or a sender that mail waits for. */
export interface DestinationRecord {
  /** `domain:example.org`, `mx:example.org`, `host:relay.example:25`, `rule:NAME`, `from:ADDRESS` ... */
  readonly name: string
  readonly state: 'open' | 'down' | 'suspended'
  readonly since: number
  /** down: the next probe; suspended: its end. */
  readonly until?: number
  readonly reason?: string
  /** Recipients that wait for it. */
  readonly waiting: number
}

export interface DestinationOperations {
  /** Destinations, rules and senders that are not simply open, or that mail waits for; with `name`, what that may be. */
  'destination.list': {
    input: { readonly limit?: number; readonly name?: string }
    output: { readonly destinations: readonly DestinationRecord[] }
  }
  /** Nothing goes to it before then. `name` may be a domain, the name of a rule, or as lists show it. */
  'destination.suspend': {
    input: { readonly name: string; readonly forMs: number; readonly reason?: string }
    output: DestinationRecord
  }
  /** Ends a suspension, or the wait for the next probe. */
  'destination.resume': {
    input: { readonly name: string }
    output: { readonly name: string; readonly resumed: boolean }
  }
}
