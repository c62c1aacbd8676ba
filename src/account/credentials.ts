/**
 * Verifiers: made when a password is set, checked when somebody logs in. Argon2id (RFC 9106) for mechanisms
 * that send the password, the keys of SCRAM (RFC 5803) for those that do not, and what older mechanisms
 * need where the operator has switched them on (verifier.ts).
 *
 * Hashing is slow on purpose and costs 19 MiB each time: few run at once, off the event loop, and a
 * bounded line waits.
 */
import { argon2, argon2Sync, createHash, pbkdf2, pbkdf2Sync } from 'node:crypto'
import { type Place, Slots, type Slotted } from '../limit/slots.ts'
import { digestSecret } from '../sasl/digest-md5-keys.ts'
import { sameOctets } from '../sasl/exchange.ts'
import { ntHash } from '../sasl/md4.ts'
import { prepare } from '../sasl/prepare.ts'
import {
  formatVerifier,
  parseVerifier,
  type ScramHash,
  scramHashes,
  verifierOf,
} from '../sasl/scram-keys.ts'
import type { Random } from '../world/random.ts'
import { type Argon2Parts, formatPhc, parsePhc } from './argon2-string.ts'
import type { CheckForeign } from './foreign-hash.ts'
import { seal } from './seal.ts'
import type { HashCost } from './settings.ts'
import type { Verifier, VerifierKind } from './verifier.ts'

const SALT_OCTETS = 16
const TAG_OCTETS = 32
/** Longer than any person's; what is hashed is bounded. */
export const PASSWORD_MAX_OCTETS = 1_024

/** Where there is no thread for it: in a world of tests. */
const checkHere: CheckForeign = async (hash, password) => {
  const { checkForeignHash } = await import('./foreign-hash-check.ts')
  return checkForeignHash(hash, password)
}

/** What verifiers are made with, as it is now. */
export interface Making {
  readonly kinds: readonly VerifierKind[]
  /** Of DIGEST-MD5. */
  readonly realm: string
  /** Under which passwords are encrypted that must be known again. */
  readonly sealingKey: Uint8Array
}

/** A password to be kept, prepared and not too long. */
export interface NewSecret {
  readonly password: string
  /** The account's address in canonical form: the name that it is kept for. */
  readonly address: string
  /** What is kept of the account's other passwords: all share one SCRAM salt (login.ts). */
  readonly beside: readonly Verifier[]
}

export class Hasher {
  readonly #cost: HashCost
  readonly #random: Random
  readonly #making: () => Making
  readonly #foreign: CheckForeign
  readonly #slots: Slots
  /** What the password of an unknown name is compared with, so that it takes as long to refuse. */
  readonly #nobody: Argon2Parts

  constructor(cost: HashCost, random: Random, making: () => Making, foreign?: CheckForeign) {
    this.#cost = cost
    this.#random = random
    this.#making = making
    this.#foreign = foreign ?? checkHere
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
  make(secret: NewSecret): Promise<Slotted<readonly Verifier[]>> {
    return this.#slots.run(() => this.#all(this.#making().kinds, secret))
  }

  /** Those of an app password: long and random, so that no slow hash is needed for it. */
  makeApp(secret: NewSecret): Promise<Slotted<readonly Verifier[]>> {
    const kinds = this.#making().kinds.filter(kind => kind !== 'argon2id')
    return this.#slots.run(() => this.#all(['sha256', ...kinds], secret))
  }

  /**
   * Whether a password is the one behind a PHC string. Undefined (an unknown name, an account
   * without a password, a damaged string) is never, after just as much work.
   */
  async verify(
    password: string,
    phc: string | undefined,
    place?: Place,
  ): Promise<Slotted<boolean>> {
    const parts = phc === undefined ? undefined : parsePhc(phc)
    return this.#slots.run(async () => {
      const compared = parts ?? this.#nobody
      const same = sameOctets(await this.#argon2(password, compared), compared.tag)
      return same && parts !== undefined
    }, place)
  }

  /** Whether a password is the one behind another server's hash. */
  verifyForeign(password: string, hash: string, place?: Place): Promise<Slotted<boolean>> {
    return this.#slots.run(() => this.#foreign(hash, password), place)
  }

  /** Whether these are the forms in which a password is kept now. */
  isWhole(kept: readonly Verifier[]): boolean {
    const { kinds, realm } = this.#making()
    const isOurs = ({ kind, verifier }: Verifier) =>
      kinds.includes(kind) && (kind !== 'digest-md5' || verifier.startsWith(`${realm}:`))
    return kept.length === kinds.length && kept.every(isOurs)
  }

  /** Whether an Argon2 string costs what one costs that is made now. */
  isCurrent(phc: string): boolean {
    const parts = parsePhc(phc)
    const { memoryKib, passes, lanes } = this.#cost
    return parts?.memoryKib === memoryKib && parts.passes === passes && parts.lanes === lanes
  }

  async #all(kinds: readonly VerifierKind[], secret: NewSecret): Promise<readonly Verifier[]> {
    const made: Verifier[] = []
    for (const kind of kinds) made.push({ kind, verifier: await this.#one(kind, secret) })
    return made
  }

  async #one(kind: VerifierKind, { password, address, beside }: NewSecret): Promise<string> {
    const { realm, sealingKey } = this.#making()
    const hash = scramHashes.find(each => scramKind(each) === kind)
    if (hash !== undefined) return this.#scram(hash, password, beside)
    switch (kind) {
      case 'argon2id': {
        const { memoryKib, passes, lanes } = this.#cost
        const salt = this.#random.octets(SALT_OCTETS)
        const parts = { memoryKib, passes, lanes, salt, tag: new Uint8Array(TAG_OCTETS) }
        return formatPhc({ ...parts, tag: await this.#argon2(password, parts) })
      }
      case 'digest-md5': {
        const octets = digestSecret(address, realm, password)
        return `${realm}:${Buffer.from(octets).toString('hex')}`
      }
      case 'nt':
        return Buffer.from(ntHash(password)).toString('hex')
      case 'sha256':
        return fastHash(this.#random.octets(SALT_OCTETS), password)
      default:
        return seal(sealingKey, this.#random, address, password)
    }
  }

  async #scram(hash: ScramHash, password: string, beside: readonly Verifier[]): Promise<string> {
    const shared = beside
      .filter(({ kind }) => kind === scramKind(hash))
      .map(({ verifier }) => parseVerifier(hash, verifier))
      .find(parsed => parsed !== undefined)
    const salt = shared?.salt ?? this.#random.octets(SALT_OCTETS)
    const iterations = shared?.iterations ?? this.#cost.scramIterations
    const salted = await this.#pbkdf2(hash, password, salt, iterations)
    return formatVerifier(hash, verifierOf(hash, salted, salt, iterations))
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

  #pbkdf2(
    { name, octets }: ScramHash,
    password: string,
    salt: Uint8Array,
    iterations: number,
  ): Promise<Uint8Array> {
    if (this.#cost.inline)
      return Promise.resolve(pbkdf2Sync(password, salt, iterations, octets, name))
    return new Promise((resolve, reject) => {
      pbkdf2(password, salt, iterations, octets, name, (error, key) =>
        error ? reject(error) : resolve(key),
      )
    })
  }
}

/** The kind of verifier that is of a hash of SCRAM. */
export function scramKind({ mechanism }: ScramHash): VerifierKind {
  return mechanism.toLowerCase() as VerifierKind
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

const LETTERS = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'

/** A password of 20 characters that nobody mistakes for one another: some 116 bits. */
export function makePassword(random: Random): string {
  let password = ''
  for (let i = 0; i < 20; i++) password += LETTERS[random.below(LETTERS.length)]
  return password
}

/** `salt$hash`, hexadecimal. */
function fastHash(salt: Uint8Array, password: string): string {
  const hash = createHash('sha256').update(salt).update(password, 'utf8').digest('hex')
  return `${Buffer.from(salt).toString('hex')}$${hash}`
}

/** Whether a password is the one behind a `sha256` verifier. */
export function checkFastHash(password: string, stored: string): boolean {
  const [salt = '', hash = ''] = stored.split('$')
  const made = fastHash(Buffer.from(salt, 'hex'), password)
  return hash !== '' && sameOctets(Buffer.from(made), Buffer.from(stored))
}
