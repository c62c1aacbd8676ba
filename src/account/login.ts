/**
 * The answers to what a SASL mechanism asks (sasl/mechanism.ts), for SMTP, POP3 and IMAP alike.
 *
 * A user name is the account's whole address. An unknown name, a wrong password, a disabled account
 * and an identity that is not the user's own are one answer, after the same work. A success is
 * remembered for five minutes as a keyed hash, so that a mail program that logs in for every
 * message costs one Argon2; any change of the account drops it. Counts no failures: limit/ does.
 */
import { createHmac } from 'node:crypto'
import { formatAddress, parseStoredAddress } from '../mail/address.ts'
import type { LoginAnswer, LoginQuestion } from '../sasl/mechanism.ts'
import { prepare } from '../sasl/prepare.ts'
import { sameOctets } from '../sasl/scram-keys.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from '../world/clock.ts'
import type { Log } from '../world/log.ts'
import type { Random } from '../world/random.ts'
import { canonical } from './address.ts'
import { type Hasher, madeUpScram, PASSWORD_MAX_OCTETS, parseScram } from './credentials.ts'
import { findLogin, type LoginRow } from './reader.ts'
import { Recent } from './recent.ts'
import type { AccountSettings } from './settings.ts'
import { keepSetting } from './writer.ts'

export interface LoginNeeds {
  readonly store: Store
  readonly hasher: Hasher
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly settings: () => AccountSettings
}

/** A log-in that succeeded. */
interface Success {
  readonly id: number
  readonly address: string
  /** When the password was set: another one has another time. */
  readonly changedAt: number
  readonly mac: Uint8Array
}

const SUCCESSES_MAX = 10_000

const denied: LoginAnswer = { kind: 'denied', why: 'wrong user name or password' }
const busy: LoginAnswer = { kind: 'unavailable', why: 'too many log-ins at once; try again' }
const broken: LoginAnswer = { kind: 'unavailable', why: 'the directory cannot answer now' }

/** Opens the log-in; makes the key of made-up verifiers if the store has none yet. */
export async function openLogin(needs: LoginNeeds): Promise<Login> {
  const fresh = Buffer.from(needs.random.octets(32)).toString('hex')
  const kept = await needs.store.write(keepSetting, { name: 'account.scram_key', value: fresh })
  return new Login(needs, Buffer.from(kept, 'hex'))
}

export class Login {
  readonly #needs: LoginNeeds
  /** Of the installation: what an unknown name is shown must not change when we start again. */
  readonly #scramKey: Uint8Array
  /** Of this process: what is remembered of passwords is worth nothing outside it. */
  readonly #cacheKey: Uint8Array
  readonly #successes: Recent<Success>
  /** Log-ins under way, by hash: ten connections of one mail program cost one Argon2. */
  readonly #underWay = new Map<string, Promise<LoginAnswer>>()
  #generation = 0

  /** Use `openLogin`. */
  constructor(needs: LoginNeeds, scramKey: Uint8Array) {
    this.#needs = needs
    this.#scramKey = scramKey
    this.#cacheKey = needs.random.octets(32)
    this.#successes = new Recent(SUCCESSES_MAX, needs.settings().loginCacheMs)
  }

  /** Answers a question: at once where the success is remembered. Never rejects. */
  answer(question: LoginQuestion): LoginAnswer | Promise<LoginAnswer> {
    const username = this.#canonicalName(question.username)
    switch (question.kind) {
      case 'password': {
        const password = prepare(question.password)
        if (username === undefined || password === undefined) return denied
        if (Buffer.byteLength(password) > PASSWORD_MAX_OCTETS) return denied
        if (!this.#mayActAs(username, question.authorize)) return denied
        return this.#remembered(username, password) ?? this.#verifyOnce(username, password)
      }
      case 'scram':
        return username === undefined ? denied : this.#scram(username)
      case 'cram':
        // Of a password only verifiers are kept, which is the point of keeping them.
        return denied
      case 'proven':
        if (username === undefined || !this.#mayActAs(username, question.authorize)) return denied
        return this.#proven(username)
    }
  }

  /** An account has changed: what is remembered of it is dropped; without an id, of all. */
  changed(accountId?: number): void {
    this.#generation++
    this.#underWay.clear()
    if (accountId === undefined) this.#successes.drop()
    else this.#successes.drop(success => success.id === accountId)
  }

  /** The key of the account a user name means, or undefined if it can mean none. */
  #canonicalName(text: string): string | undefined {
    const prepared = prepare(text)
    if (prepared === undefined) return undefined
    const { local, domain } = parseStoredAddress(prepared)
    const whole = domain === '' ? (this.#needs.settings().defaultDomain ?? '') : domain
    return formatAddress(canonical({ local, domain: whole }))
  }

  /** Nobody acts as another (RFC 4616 §2); naming oneself in another spelling is no harm. */
  #mayActAs(username: string, authorize: string): boolean {
    return authorize === '' || this.#canonicalName(authorize) === username
  }

  #remembered(username: string, password: string): LoginAnswer | undefined {
    const success = this.#successes.get(username, this.#needs.clock.monotonic())
    if (success === undefined) return undefined
    const mac = this.#mac(username, `${success.id}:${success.changedAt}`, password)
    if (!sameOctets(mac, success.mac)) return undefined
    return { kind: 'account', account: { id: success.id, address: success.address } }
  }

  #verifyOnce(username: string, password: string): Promise<LoginAnswer> {
    const key = this.#mac(username, '', password).toString('base64')
    const known = this.#underWay.get(key)
    if (known !== undefined) return known
    const answer = this.#verify(username, password).finally(() => {
      if (this.#underWay.get(key) === answer) this.#underWay.delete(key)
    })
    this.#underWay.set(key, answer)
    return answer
  }

  async #verify(username: string, password: string): Promise<LoginAnswer> {
    const generation = this.#generation
    try {
      const row = await this.#needs.store.read(findLogin, username)
      const credential = row?.credentials.find(({ kind }) => kind === 'argon2id')
      const outcome = await this.#needs.hasher.verify(password, credential?.verifier)
      if (outcome.kind === 'busy') return busy
      if (!outcome.value || row === undefined || credential === undefined || row.disabled)
        return denied
      const { id, address } = row
      const { changedAt } = credential
      if (generation === this.#generation) {
        const mac = this.#mac(username, `${id}:${changedAt}`, password)
        const now = this.#needs.clock.monotonic()
        this.#successes.set(username, { id, address, changedAt, mac }, now)
      }
      return { kind: 'account', account: { id, address } }
    } catch (error) {
      return this.#broken(error)
    }
  }

  async #scram(username: string): Promise<LoginAnswer> {
    // Made up for every name, so that a known one takes no less time.
    const { hasher } = this.#needs
    const madeUp = madeUpScram(this.#scramKey, username, hasher.scramIterations)
    const row = await this.#row(username)
    if ('kind' in row) return row
    const kept = row.account?.credentials.find(({ kind }) => kind === 'scram-sha-256')
    // A disabled account shows its own salt, as a made-up one would tell; `proven` refuses it.
    const genuine = parseScram(kept?.verifier ?? '')
    return { kind: 'verifier', verifier: genuine ?? madeUp }
  }

  async #proven(username: string): Promise<LoginAnswer> {
    const row = await this.#row(username)
    if ('kind' in row) return row
    if (row.account === undefined || row.account.disabled) return denied
    return { kind: 'account', account: { id: row.account.id, address: row.account.address } }
  }

  async #row(
    username: string,
  ): Promise<{ readonly account: LoginRow | undefined } | (LoginAnswer & { kind: 'unavailable' })> {
    try {
      return { account: await this.#needs.store.read(findLogin, username) }
    } catch (error) {
      return this.#broken(error)
    }
  }

  #broken(error: unknown): LoginAnswer & { kind: 'unavailable' } {
    this.#needs.log.error('login cannot be answered', { error: String(error) })
    return broken as LoginAnswer & { kind: 'unavailable' }
  }

  /** A hash of the three, each behind its length so that no two triples are one text. */
  #mac(username: string, credential: string, password: string): Buffer {
    const text = `${username.length}:${username}${credential.length}:${credential}${password}`
    return createHmac('sha256', this.#cacheKey).update(text, 'utf8').digest()
  }
}
