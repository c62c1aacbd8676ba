/** What the account room is told by the config; given anew as a whole when the config changes. */
import type { Address } from '../mail/address.ts'
import { noLimit, type QuotaLimit } from './quota.ts'
import { kindsFor, type VerifierKind } from './verifier.ts'

export interface AccountSettings {
  /** Parts a local part from its detail; '' for none. */
  readonly separator: string
  /** Who reads postmaster and abuse where a domain has no such account or alias; else the first account. */
  readonly postmaster?: Address
  /** Our own name, lower case: postmaster, abuse and root of it are always somebody. */
  readonly hostname?: string
  /** The domain of a user name without one. */
  readonly defaultDomain?: string
  /** Of accounts that have no limit of their own. */
  readonly quota: QuotaLimit
  readonly cost: HashCost
  /** How long a password that was right is taken without hashing it again, ms. */
  readonly loginCacheMs: number
  /** In which forms passwords are kept. */
  readonly verifiers: readonly VerifierKind[]
  /** Of DIGEST-MD5. */
  readonly realm: string
  /** Encrypts passwords that must be known again; absent: a key that the store keeps. */
  readonly passwordKey?: string
  /** Who may act as whom (RFC 4616 §2): by address, `*` for everybody. */
  readonly actAs: Readonly<Record<string, readonly string[]>>
  /** Whose certificate it is: fingerprints, common names or subjects; the address in it counts without. */
  readonly certificates: Readonly<Record<string, string>>
  /** Whom ANONYMOUS makes of a nobody; absent: nobody comes in by it. */
  readonly anonymous?: string
}

/** What a verifier costs to make, and to attack. */
export interface HashCost {
  /** Argon2id (RFC 9106): memory in KiB, passes, lanes. */
  readonly memoryKib: number
  readonly passes: number
  readonly lanes: number
  /** SCRAM (RFC 7677 §4): at least 4096. */
  readonly scramIterations: number
  /** Hashes under way at once, and how many may wait for their turn. */
  readonly atOnce: number
  readonly waitingMax: number
  /** True hashes on the calling thread, in order: for the simulation, which must be deterministic. */
  readonly inline: boolean
}

export const defaultHashCost: HashCost = {
  memoryKib: 19_456,
  passes: 2,
  lanes: 1,
  scramIterations: 10_000,
  atOnce: 2,
  waitingMax: 64,
  inline: false,
}

/** As cheap as the formats allow: for tests and the simulation only. */
export const cheapHashCost: HashCost = {
  ...defaultHashCost,
  memoryKib: 8,
  passes: 1,
  scramIterations: 4_096,
  inline: true,
}

export const defaultAccountSettings: AccountSettings = {
  separator: '+',
  quota: noLimit,
  cost: defaultHashCost,
  loginCacheMs: 5 * 60_000,
  verifiers: kindsFor(['SCRAM-SHA-256']),
  realm: 'localhost',
  actAs: {},
  certificates: {},
}
