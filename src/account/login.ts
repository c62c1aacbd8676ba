/**
 * The answers to what a SASL mechanism asks (sasl/login-question.ts), for SMTP, POP3 and IMAP alike.
 *
 * A user name is the account's whole address. An unknown name, a wrong password, a disabled account
 * and an identity that is not the user's own are one answer, after the same work. Counts no failures:
 * limit/ does.
 */
import { createSecretKey } from 'node:crypto'
import type { Place } from '../limit/slots.ts'
import { formatAddress, parseStoredAddress } from '../mail/address.ts'
import type { LoginAnswer, LoginQuestion } from '../sasl/mechanism.ts'
import { prepare } from '../sasl/prepare.ts'
import { accountMade } from './account-made.ts'
import { canonical } from './address.ts'
import { accountsOfCertificate } from './certificate.ts'
import { PASSWORD_MAX_OCTETS } from './credentials.ts'
import { hashOf, type Keys, madeUpScram, scramAnswer, secretAnswer } from './kept.ts'
import { denied, type LoginNeeds, PasswordCheck } from './password-check.ts'
import { findLogin, type LoginRow } from './reader.ts'
import type { Scope } from './verifier.ts'
import { keepSetting } from './writer.ts'

export type { LoginNeeds } from './password-check.ts'

const KEYLESS: LoginAnswer = { kind: 'unavailable', why: 'no key for tickets', keyless: true }

/** Makes a key of the installation if the store has none yet. */
export async function installationKey(
  { store, random }: Pick<LoginNeeds, 'store' | 'random'>,
  name: string,
): Promise<Uint8Array> {
  const value = Buffer.from(random.octets(32)).toString('hex')
  return Buffer.from(await store.write(keepSetting, { name, value }), 'hex')
}

/** Opens the log-in; `sealing` is the key of passwords that must be known again. */
export async function openLogin(needs: LoginNeeds, sealing?: Uint8Array): Promise<Login> {
  const key = await installationKey(needs, 'account.scram_key')
  return new Login(needs, { madeUp: createSecretKey(key), sealing: sealing ?? key })
}

/** He has proven who he is, and may not act as the one he named. */
const notAs: LoginAnswer = { kind: 'denied', why: 'may not act as another', proven: true }

export class Login {
  readonly #needs: LoginNeeds
  readonly #keys: Keys
  readonly #passwords: PasswordCheck

  /** Use `openLogin`. */
  constructor(needs: LoginNeeds, keys: Keys) {
    this.#needs = needs
    this.#keys = keys
    this.#passwords = new PasswordCheck(needs)
  }

  /** Answers a question: at once where the success is remembered, else in its `place` of the line. Never rejects. */
  answer(
    question: LoginQuestion,
    scope: Scope = 'smtp',
    place?: Place,
  ): LoginAnswer | Promise<LoginAnswer> {
    if (question.kind === 'certificate') return this.#certificate(question)
    if (question.kind === 'token') return this.#token(question, place)
    if (question.kind === 'principal') return this.#principal(question)
    if (question.kind === 'gss') {
      const kerberos = this.#needs.authorities?.().kerberos
      const { step } = question
      const has = step.kind !== 'accept' || kerberos?.services.includes(step.service)
      return kerberos !== undefined && has ? kerberos.step(step) : KEYLESS
    }
    if (question.kind === 'anonymous') {
      const { anonymous } = this.#needs.settings()
      return anonymous === undefined ? denied : this.#account(anonymous)
    }
    const username = this.#canonicalName(question.username)
    if (username === undefined) return denied
    switch (question.kind) {
      case 'password': {
        const password = prepare(question.password)
        if (password === undefined || Buffer.byteLength(password) > PASSWORD_MAX_OCTETS)
          return denied
        const answer = this.#passwords.check(username, password, scope, place)
        return this.#actingAs(username, question.authorize, answer)
      }
      case 'scram':
      case 'secret':
        return this.#kept(question, username, scope)
      case 'proven':
        return this.#actingAs(
          username,
          question.authorize,
          this.#proven(username, question.credential, scope),
        )
    }
  }

  /** An account has changed: what is remembered of it is dropped; without an id, of all. */
  changed(accountId?: number): void {
    this.#passwords.changed(accountId)
  }

  /** The key of the account a user name means, or undefined if it can mean none. */
  #canonicalName(text: string): string | undefined {
    const prepared = prepare(text)
    if (prepared === undefined) return undefined
    const { local, domain } = parseStoredAddress(prepared)
    const whole = domain === '' ? (this.#needs.settings().defaultDomain ?? '') : domain
    return formatAddress(canonical({ local, domain: whole }))
  }

  /**
   * Nobody acts as another (RFC 4616 §2) whom the config does not let; naming oneself in another spelling
   * is no harm. Asked only of who has proven himself, so that nobody else learns of it.
   */
  #actingAs(
    username: string,
    authorize: string,
    answer: LoginAnswer | Promise<LoginAnswer>,
  ): LoginAnswer | Promise<LoginAnswer> {
    const as = authorize === '' ? username : this.#canonicalName(authorize)
    if (as === username) return answer
    return Promise.resolve(answer).then(async proven => {
      if (proven.kind !== 'account') return proven
      const may = as !== undefined && this.#mayActAs(username, as)
      const other = may ? await this.#account(as) : notAs
      return other.kind === 'denied' ? notAs : other
    })
  }

  #mayActAs(username: string, as: string): boolean {
    const { actAs } = this.#needs.settings()
    return Object.entries(actAs).some(
      ([who, whom]) =>
        this.#canonicalName(who) === username &&
        whom.some(one => one === '*' || this.#canonicalName(one) === as),
    )
  }

  /** What is kept of a name; the same work for one that is unknown. */
  async #kept(
    question: LoginQuestion & { readonly kind: 'scram' | 'secret' },
    username: string,
    scope: Scope,
  ): Promise<LoginAnswer> {
    const row = await this.#row(username)
    if ('kind' in row) return row
    if (question.kind === 'secret')
      return secretAnswer({ ...question, username }, row.account, scope, this.#keys)
    const { scramIterations } = this.#needs.hasher
    const hash = hashOf(question.hash)
    // A disabled account shows its own salt, as a made-up one would tell; `proven` refuses it.
    const madeUp = madeUpScram(this.#keys, username, scramIterations, hash)
    return scramAnswer(question, row.account, scope, madeUp)
  }

  /** An app password is looked at again: it may have been taken back meanwhile. */
  async #proven(
    username: string,
    credential: string | undefined,
    scope: Scope,
  ): Promise<LoginAnswer> {
    const row = await this.#row(username)
    if ('kind' in row) return row
    const { account } = row
    if (account === undefined || account.disabled) return denied
    if (credential !== undefined) {
      const app = account.credentials.find(each => each.app === credential)
      if (!app?.scopes?.includes(scope)) return denied
      this.#passwords.used(credential)
    }
    return { kind: 'account', account: { id: account.id, address: account.address } }
  }

  #account(username: string): Promise<LoginAnswer> {
    return this.#proven(username, undefined, 'smtp')
  }

  /** The account that a verified certificate is of; of several the one that is asked for. */
  async #certificate({
    certificate,
    authorize,
  }: LoginQuestion & { readonly kind: 'certificate' }): Promise<LoginAnswer> {
    const names = accountsOfCertificate(certificate, this.#needs.settings().certificates)
      .map(name => this.#canonicalName(name))
      .filter(name => name !== undefined)
    const wanted = authorize === '' ? undefined : this.#canonicalName(authorize)
    if (authorize !== '' && wanted === undefined) return denied
    if (wanted === undefined) return names.length === 1 ? this.#account(names[0] ?? '') : denied
    const may = names.includes(wanted) || names.some(name => this.#mayActAs(name, wanted))
    return may ? this.#account(wanted) : notAs
  }

  /** The account that a token is of; whom the client names must be it, or one it may act as. */
  async #token(
    { token, authorize }: LoginQuestion & { readonly kind: 'token' },
    place?: Place,
  ): Promise<LoginAnswer> {
    const tokens = this.#needs.authorities?.().tokens
    if (tokens === undefined) return denied
    const answer = await tokens.check(token, place)
    if (answer.kind === 'unavailable') return this.#passwords.broken(answer.why)
    if (answer.kind === 'refused') return { ...denied, token: answer.error }
    return this.#vouched(answer.names, authorize)
  }

  /** The account that a Kerberos principal is of. */
  async #principal({
    principal,
    authorize,
  }: LoginQuestion & { readonly kind: 'principal' }): Promise<LoginAnswer> {
    const name = this.#needs.authorities?.().kerberos?.accountOf(principal)
    if (name === undefined) return denied
    // Clients say the name that they were given, often without a domain: it is that of the principal.
    const bare = authorize !== '' && !authorize.includes('@')
    const whole = bare ? authorize + name.slice(name.lastIndexOf('@')) : authorize
    return this.#vouched([name], whole)
  }

  /** Whom an authority knows by these names, as itself or as one it may act as; who has no account yet gets one. */
  async #vouched(known: readonly string[], authorize: string): Promise<LoginAnswer> {
    const names = known.map(name => this.#canonicalName(name)).filter(name => name !== undefined)
    const wanted = authorize === '' ? names[0] : this.#canonicalName(authorize)
    if (wanted === undefined) return denied
    try {
      if (!names.includes(wanted))
        return names.some(name => this.#mayActAs(name, wanted)) ? this.#account(wanted) : notAs
      const account = await accountMade(this.#needs.store, wanted)
      return account === undefined ? denied : { kind: 'account', account }
    } catch (error) {
      return this.#passwords.broken(error)
    }
  }

  async #row(
    username: string,
  ): Promise<{ readonly account: LoginRow | undefined } | (LoginAnswer & { kind: 'unavailable' })> {
    try {
      return { account: await this.#needs.store.read(findLogin, username) }
    } catch (error) {
      return this.#passwords.broken(error)
    }
  }
}
