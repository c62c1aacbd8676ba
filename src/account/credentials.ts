/**
 * Verifiers: made when a password is set, checked when somebody logs in; the password itself is
 * kept nowhere. Argon2id (RFC 9106, a PHC string) for mechanisms that send the password, and the
 * keys of SCRAM-SHA-256 (RFC 5803) for those that do not.
 *
 * Hashing is slow on purpose and costs 19 MiB each time: few run at once, a bounded line waits.
 */
import { argon2, argon2Sync, createHmac, pbkdf2, pbkdf2Sync } from 'node:crypto'
import { Slots, type Slotted } from '../limit/slots.ts'
import type { ScramVerifier } from '../sasl/mechanism.ts'
import { prepare } from '../sasl/prepare.ts'
import {
  formatVerifier,
  parseVerifier,
  sameOctets,
  sha256,
  verifierOf,
} from '../sasl/scram-keys.ts'
import type { Random } from '../world/random.ts'
import type { HashCost } from './settings.ts'

export const SCRAM_SHA_256 = 'SCRAM-SHA-256'

/** A row of the table `credential`. */
export interface Verifier {
  readonly kind: 'argon2id' | 'scram-sha-256'
  readonly verifier: string
}

const SALT_OCTETS = 16
const TAG_OCTETS = 32
/** Longer than any person's; what is hashed is bounded. */
export const PASSWORD_MAX_OCTETS = 1_024

/** `$argon2id$v=19$m=19456,t=2,p=1$salt$tag`, base64 without padding. */
const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,172})$/

interface Argon2Parts {
  readonly memoryKib: number
  readonly passes: number
  readonly lanes: number
  readonly salt: Uint8Array
  readonly tag: Uint8Array
}

export class Hasher {
  readonly #cost: HashCost
  readonly #random: Random
  readonly #slots: Slots
  /** What the password of an unknown name is compared with, so that it takes as long to refuse. */
  readonly #nobody: Argon2Parts

  constructor(cost: HashCost, random: Random) {
    this.#cost = cost
    this.#random = random
    this.#slots = new Slots(cost.atOnce, cost.waitingMax)
    const { memoryKib, passes, lanes } = cost
    const salt = random.octets(SALT_OCTETS)
    this.#nobody = { memoryKib, passes, lanes, salt, tag: random.octets(TAG_OCTETS) }
  }

  /** Iterations of a verifier made now; a made-up one shows the same. */
  get scramIterations(): number {
    return this.#cost.scramIterations
  }

  /** All verifiers of a password that `checkPassword` took. */
  async make(password: string): Promise<Slotted<readonly Verifier[]>> {
    return this.#slots.run(async () => {
      const { memoryKib, passes, lanes, scramIterations } = this.#cost
      const salt = this.#random.octets(SALT_OCTETS)
      const empty = new Uint8Array(TAG_OCTETS)
      const parts = { memoryKib, passes, lanes, salt, tag: empty }
      const tag = await this.#argon2(password, parts)
      const scramSalt = this.#random.octets(SALT_OCTETS)
      const salted = await this.#pbkdf2(password, scramSalt, scramIterations)
      const scram = verifierOf(sha256, salted, scramSalt, scramIterations)
      return [
        { kind: 'argon2id', verifier: formatPhc({ ...parts, tag }) },
        { kind: 'scram-sha-256', verifier: formatVerifier(SCRAM_SHA_256, scram) },
      ]
    })
  }

  /**
   * Whether a password is the one behind a PHC string. Undefined (an unknown name, an account
   * without a password, a damaged string) is never, after just as much work.
   */
  async verify(password: string, phc: string | undefined): Promise<Slotted<boolean>> {
    const parts = phc === undefined ? undefined : parsePhc(phc)
    return this.#slots.run(async () => {
      const compared = parts ?? this.#nobody
      const same = sameOctets(await this.#argon2(password, compared), compared.tag)
      return same && parts !== undefined
    })
  }

  #argon2(password: string, parts: Argon2Parts): Promise<Uint8Array> {
    const parameters = {
      message: password,
      nonce: parts.salt,
      parallelism: parts.lanes,
      tagLength: parts.tag.length,
      memory: parts.memoryKib,
      passes: parts.passes,
    }
    if (this.#cost.inline) return Promise.resolve(argon2Sync('argon2id', parameters))
    return new Promise((resolve, reject) => {
      argon2('argon2id', parameters, (error, tag) => (error ? reject(error) : resolve(tag)))
    })
  }

  #pbkdf2(password: string, salt: Uint8Array, iterations: number): Promise<Uint8Array> {
    const { octets, name } = sha256
    if (this.#cost.inline)
      return Promise.resolve(pbkdf2Sync(password, salt, iterations, octets, name))
    return new Promise((resolve, reject) => {
      pbkdf2(password, salt, iterations, octets, name, (error, key) =>
        error ? reject(error) : resolve(key),
      )
    })
  }
}

/** The form of a new password that is hashed; or why it cannot be one. */
export function checkPassword(
  password: string,
): { readonly password: string } | { readonly why: string } {
  if (password === '') return { why: 'the password is empty' }
  if (Buffer.byteLength(password) > PASSWORD_MAX_OCTETS)
    return { why: `the password is longer than ${PASSWORD_MAX_OCTETS} octets` }
  const prepared = prepare(password)
  if (prepared === undefined)
    return { why: 'the password has characters in it that no mail program could send (RFC 4013)' }
  return { password: prepared }
}

/** The SCRAM keys in a stored string; undefined where it is damaged. */
export function parseScram(verifier: string): ScramVerifier | undefined {
  return parseVerifier(SCRAM_SHA_256, sha256, verifier)
}

/** The verifier of a name that has none: of the shape of a real one, and stable as long as `key` is. */
export function madeUpScram(key: Uint8Array, username: string, iterations: number): ScramVerifier {
  const derive = (use: string) => createHmac('sha256', key).update(`${use}\0${username}`).digest()
  return {
    salt: derive('salt').subarray(0, SALT_OCTETS),
    iterations,
    storedKey: derive('stored key'),
    serverKey: derive('server key'),
    genuine: false,
  }
}

const LETTERS = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'

/** A password of 20 characters that nobody mistakes for one another: some 116 bits. */
export function makePassword(random: Random): string {
  let password = ''
  for (let i = 0; i < 20; i++) password += LETTERS[random.below(LETTERS.length)]
  return password
}

function formatPhc({ memoryKib, passes, lanes, salt, tag }: Argon2Parts): string {
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${unpadded(salt)}$${unpadded(tag)}`
}

/** Reads a PHC string; undefined where it is damaged or Argon2 would refuse its numbers. */
export function parsePhc(text: string): Argon2Parts | undefined {
  const [, memory, passes, lanes, salt = '', tag = ''] = PHC.exec(text) ?? []
  const parts = {
    memoryKib: Number(memory),
    passes: Number(passes),
    lanes: Number(lanes),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  }
  // RFC 9106 §3.1, and 1 GiB at most.
  const fit = parts.lanes >= 1 && parts.passes >= 1 && parts.memoryKib >= 8 * parts.lanes
  return fit && parts.memoryKib <= 1_048_576 && parts.salt.length >= 8 ? parts : undefined
}

function unpadded(octets: Uint8Array): string {
  return Buffer.from(octets).toString('base64').replaceAll('=', '')
}
