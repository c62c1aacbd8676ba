/**
 * Whether a password is an account's: its own, or an app password for what is asked. Called by login.ts.
 *
 * A success is remembered for five minutes under a keyed hash of name and password together, so that a mail
 * program that logs in for every message costs one Argon2 and no entry can ever answer for another name;
 * any change of the account drops it. An unknown name and a wrong password cost the same. A password that
 * was right and is kept in other forms than it should be is hashed anew.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { Place, Slotted } from '../limit/slots.ts'
import type { LoginAnswer } from '../sasl/mechanism.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from '../world/clock.ts'
import type { Log } from '../world/log.ts'
import type { Random } from '../world/random.ts'
import { accountMade } from './account-made.ts'
import { appUsed } from './app-writer.ts'
import {
  type Authorities,
  askAuthorities,
  noAuthorities,
  type PasswordQuestion,
} from './authority.ts'
import { checkFastHash, type Hasher } from './credentials.ts'
import { type CredentialRow, findLogin, type LoginRow } from './reader.ts'
import { Recent } from './recent.ts'
import type { AccountSettings } from './settings.ts'
import type { Scope, Verifier } from './verifier.ts'
import { upgradeVerifiers } from './writer.ts'

export interface LoginNeeds {
  readonly store: Store
  readonly hasher: Hasher
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly settings: () => AccountSettings
  /** Who is asked about names that have no password here. */
  readonly authorities?: () => Authorities
}

/** A password that was right, and what it may be used for: anything where `scopes` is absent. */
interface Success {
  readonly id: number
  readonly address: string
  readonly app?: string
  readonly scopes?: readonly string[]
}

type Checked = Success | Exclude<LoginAnswer, { kind: 'account' }>

const SUCCESSES_MAX = 10_000
const USED_MS = 60 * 60_000

export const denied: LoginAnswer & { kind: 'denied' } = {
  kind: 'denied',
  why: 'wrong user name or password',
}
const busy: LoginAnswer & { kind: 'unavailable' } = {
  kind: 'unavailable',
  why: 'too many log-ins at once; try again',
}
const broken: LoginAnswer & { kind: 'unavailable' } = {
  kind: 'unavailable',
  why: 'the directory cannot answer now',
}

export class PasswordCheck {
  readonly #needs: LoginNeeds
  /** Of this process: what is remembered of passwords is worth nothing outside it. */
  readonly #cacheKey: KeyObject
  readonly #successes: Recent<Success>
  /** App passwords whose use was written lately. */
  readonly #used = new Recent<true>(SUCCESSES_MAX, USED_MS)
  /** Log-ins under way, by hash: ten connections of one mail program cost one Argon2. */
  readonly #underWay = new Map<string, Promise<Checked>>()
  #generation = 0

  constructor(needs: LoginNeeds) {
    this.#needs = needs
    this.#cacheKey = createSecretKey(needs.random.octets(32))
    this.#successes = new Recent(SUCCESSES_MAX, needs.settings().loginCacheMs)
  }

  /** Answers at once where the success is remembered. Never rejects. */
  check(
    username: string,
    password: string,
    scope: Scope,
    place?: Place,
  ): LoginAnswer | Promise<LoginAnswer> {
    const key = this.#mac(username, password)
    const known = this.#successes.get(key, this.#needs.clock.monotonic())
    if (known !== undefined) return this.#answer(known, scope)
    const question = { username, password, scope, ...(place && { place }) }
    const underWay = this.#underWay.get(key) ?? this.#begin(key, question)
    return underWay.then(checked => ('kind' in checked ? checked : this.#answer(checked, scope)))
  }

  /** An account has changed: what is remembered of it is dropped; without an id, of all. */
  changed(accountId?: number): void {
    this.#generation++
    this.#underWay.clear()
    if (accountId === undefined) this.#successes.drop()
    else this.#successes.drop(success => success.id === accountId)
  }

  /** An app password was used: written once an hour, behind the answer. */
  used(app: string): void {
    const now = this.#needs.clock.monotonic()
    if (this.#used.get(app, now)) return
    this.#used.set(app, true, now)
    this.#needs.store.write(appUsed, app).catch(error => {
      this.#needs.log.warn('app-password-use', { error: String(error) })
    })
  }

  broken(error: unknown): LoginAnswer & { kind: 'unavailable' } {
    this.#needs.log.error('login cannot be answered', { error: String(error) })
    return broken
  }

  #answer({ id, address, app, scopes }: Success, scope: Scope): LoginAnswer {
    if (scopes !== undefined && !scopes.includes(scope)) return denied
    if (app !== undefined) this.used(app)
    return { kind: 'account', account: { id, address } }
  }

  #begin(key: string, question: PasswordQuestion): Promise<Checked> {
    const checked = this.#checkAndRemember(key, question).finally(() => {
      if (this.#underWay.get(key) === checked) this.#underWay.delete(key)
    })
    this.#underWay.set(key, checked)
    return checked
  }

  async #checkAndRemember(key: string, question: PasswordQuestion): Promise<Checked> {
    const { username } = question
    const generation = this.#generation
    try {
      const row = await this.#needs.store.read(findLogin, username)
      const checked = (await this.#elsewhere(row, question)) ?? (await this.#verify(row, question))
      if (!('kind' in checked) && generation === this.#generation)
        this.#successes.set(key, checked, this.#needs.clock.monotonic())
      return checked
    } catch (error) {
      return this.broken(error)
    }
  }

  /** Asked where no password is kept here; undefined: whoever was asked does not know him either. */
  async #elsewhere(
    row: LoginRow | undefined,
    question: PasswordQuestion,
  ): Promise<Checked | undefined> {
    const { passwords } = this.#needs.authorities?.() ?? noAuthorities
    if (passwords.length === 0 || row?.credentials.some(isOwn) || row?.disabled) return undefined
    if (row !== undefined && appOf(row, question.password) !== undefined) return undefined
    const answer = await askAuthorities(passwords, question)
    switch (answer.kind) {
      case 'unknown':
        return undefined
      case 'wrong':
        return this.#deniedLate(question)
      case 'unavailable':
        this.#needs.log.warn('authority', { why: answer.why })
        return broken
      case 'account':
        return (await accountMade(this.#needs.store, answer.address)) ?? denied
    }
  }

  async #verify(row: LoginRow | undefined, question: PasswordQuestion): Promise<Checked> {
    const { password, place } = question
    const app = row && appOf(row, password)
    if (row !== undefined && app !== undefined) return row.disabled ? denied : successOf(row, app)
    const own = row?.credentials.find(isOwn)
    const outcome = await this.#verifyOwn(own, password, place)
    if (outcome.kind === 'busy') return busy
    if (!outcome.value && own?.kind === 'foreign') return this.#deniedLate(question)
    if (!outcome.value || row === undefined || own === undefined || row.disabled) return denied
    await this.#renew(row, own, password)
    return successOf(row)
  }

  /** Where a directory or an old hash has said no: behind the work that a name costs which nobody knows, or time would tell. */
  async #deniedLate({ password, place }: PasswordQuestion): Promise<Checked> {
    const outcome = await this.#verifyOwn(undefined, password, place)
    return outcome.kind === 'busy' ? busy : denied
  }

  #verifyOwn(
    own: Verifier | undefined,
    password: string,
    place?: Place,
  ): Promise<Slotted<boolean>> {
    const { hasher } = this.#needs
    return own?.kind === 'foreign'
      ? hasher.verifyForeign(password, own.verifier, place)
      : hasher.verify(password, own?.verifier, place)
  }

  /** Keeps the password in the forms of today, if it is not yet; a later login will where this fails. */
  async #renew(row: LoginRow, by: Verifier, password: string): Promise<void> {
    const { hasher, store } = this.#needs
    const kept = row.credentials.filter(({ app }) => app === undefined)
    const current = by.kind === 'argon2id' && hasher.isCurrent(by.verifier)
    if (current && hasher.isWhole(kept)) return
    const beside = row.credentials
    const made = await hasher.make({ password, address: row.address, beside })
    if (made.kind === 'busy') return
    const { kind, verifier } = by
    const upgrade = { accountId: row.id, by: { kind, verifier }, verifiers: made.value }
    await store.write(upgradeVerifiers, upgrade)
  }

  /** A hash of both, the name behind its length, so that no two pairs are one text. */
  #mac(username: string, password: string): string {
    const text = `${username.length}:${username}${password}`
    return createHmac('sha256', this.#cacheKey).update(text, 'utf8').digest('base64')
  }
}

function appOf({ credentials }: LoginRow, password: string): CredentialRow | undefined {
  return credentials.find(
    ({ kind, verifier }) => kind === 'sha256' && checkFastHash(password, verifier),
  )
}

function isOwn({ kind, app }: CredentialRow): boolean {
  return app === undefined && (kind === 'argon2id' || kind === 'foreign')
}

function successOf({ id, address }: LoginRow, credential?: CredentialRow): Success {
  const { app, scopes } = credential ?? {}
  return { id, address, ...(app !== undefined && { app }), ...(scopes && { scopes }) }
}
