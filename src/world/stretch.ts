/**
 * A key from a password (PBKDF2) as a port: many milliseconds of arithmetic, which no loop is to wait for.
 * Wanted by a client that logs in by SCRAM (sasl/scram-client.ts).
 */
export interface StretchStep {
  readonly kind: 'stretch'
  readonly hash: 'sha1' | 'sha256' | 'sha512'
  readonly password: string
  readonly salt: Uint8Array
  readonly iterations: number
  /** Of the key. */
  readonly octets: number
}

export interface Stretched {
  readonly kind: 'stretched'
  readonly key: Uint8Array
}

/** Never rejects for what a step can say. */
export type Stretch = (step: StretchStep) => Promise<Stretched>
