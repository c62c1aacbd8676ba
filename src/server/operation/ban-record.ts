/** Bans as the command line sees them: types alone, all of it survives JSON. Times are ms since the epoch. */

export interface BanRecord {
  /** `192.0.2.1/32`, `2001:db8:0:1::/64`. */
  readonly network: string
  readonly reason: string
  /** 'limit': a limit was reached; 'operator': somebody said so. */
  readonly origin: 'limit' | 'operator'
  /** How often lately: the next one is three times as long. */
  readonly level: number
  readonly since: number
  readonly until: number
}

export interface BanOperations {
  'ban.list': {
    /** Those that an address is in, or all. */
    input: { readonly address?: string }
    output: { readonly bans: readonly BanRecord[] }
  }
  'ban.add': {
    /** An address or a network; without a time as long as its level says. */
    input: { readonly network: string; readonly forMs?: number; readonly reason?: string }
    output: BanRecord
  }
  'ban.lift': {
    /** An address lifts the ban that it is in. */
    input: { readonly network: string }
    output: { readonly lifted: readonly string[] }
  }
}
