/**
 * Domains, accounts and aliases for those who keep them: the command line, the API, the start of
 * the server. Checks what people type, makes verifiers, writes, and tells the caches. Whatever
 * stands against a change is a value that says why.
 */
import { formatAddress } from '../mail/address.ts'
import type { Store } from '../store/store.ts'
import { type Checked, canonicalAddress, checkAddress, checkDomain } from './address.ts'
import * as aliases from './alias-writer.ts'
import { checkPassword, type Hasher } from './credentials.ts'
import { foreignSchemes, isForeignHash } from './foreign-hash.ts'
import type { QuotaRow } from './quota.ts'
import * as readers from './reader.ts'
import type { Verifier } from './verifier.ts'
import * as writers from './writer.ts'
import { type Change, type Refused, refused } from './writer.ts'

/** What has changed: an account by its id, or the directory only. */
export interface Changed {
  readonly accountId?: number
}

/** Domains and aliases as the config declares them. */
export interface Declarations {
  readonly domains: readonly { readonly name: string; readonly catchAll?: string }[]
  readonly aliases: readonly { readonly address: string; readonly targets: readonly string[] }[]
}

/** A password, or the hash that another server kept of it: `{SSHA512}...`. */
export type NewPassword = string | { readonly hash: string }

/** Rows of a list that a caller asks for at once, if it does not say. */
const LIMIT = 1_000
/** What is read at once, where nobody waits for it. */
const FEW = 100

export class Accounts {
  readonly #store: Store
  readonly #hasher: Hasher
  readonly #changed: (change: Changed) => void

  constructor(store: Store, hasher: Hasher, changed: (change: Changed) => void) {
    this.#store = store
    this.#hasher = hasher
    this.#changed = changed
  }

  async addDomain(text: string, catchAll?: string): Promise<Change> {
    const input = newDomain(text, catchAll)
    if ('why' in input) return refused('invalid', input.why)
    return this.#told(await this.#store.write(writers.addDomain, input))
  }

  /** Without a catch-all, unknown local parts are refused again. */
  async setCatchAll(text: string, catchAll?: string): Promise<Change> {
    const input = newDomain(text, catchAll)
    if ('why' in input) return refused('invalid', input.why)
    return this.#told(await this.#store.write(writers.setCatchAll, input))
  }

  async removeDomain(text: string): Promise<Change> {
    const checked = checkDomain(text)
    if ('why' in checked) return refused('invalid', checked.why)
    return this.#told(await this.#store.write(writers.removeDomain, checked.domain))
  }

  async addAccount(text: string, password: NewPassword): Promise<writers.AccountAdded> {
    const checked = checkAddress(text)
    if ('why' in checked) return refused('invalid', checked.why)
    const verifiers = await this.#verifiers(checked.key, password)
    if ('kind' in verifiers) return verifiers
    const { key: address, address: parts } = checked
    const input = { address, domain: parts.domain, verifiers: verifiers.made }
    return this.#told(await this.#store.write(writers.addAccount, input))
  }

  async setPassword(text: string, password: NewPassword): Promise<writers.AccountChanged> {
    const checked = checkAddress(text)
    if ('why' in checked) return refused('invalid', checked.why)
    const verifiers = await this.#verifiers(checked.key, password)
    if ('kind' in verifiers) return verifiers
    const input = { address: checked.key, verifiers: verifiers.made }
    return this.#told(await this.#store.write(writers.setVerifiers, input))
  }

  disable(text: string): Promise<writers.AccountChanged> {
    return this.#setDisabled(text, true)
  }

  enable(text: string): Promise<writers.AccountChanged> {
    return this.#setDisabled(text, false)
  }

  /** Null leaves it to the config, 0 is no limit; what the account holds already stays. */
  async setQuota(text: string, quota: QuotaRow): Promise<writers.AccountChanged> {
    const checked = checkAddress(text)
    if ('why' in checked) return refused('invalid', checked.why)
    const input = { address: checked.key, ...quota }
    return this.#told(await this.#store.write(writers.setQuota, input))
  }

  /** Refused while the account has mail. */
  async removeAccount(text: string): Promise<writers.AccountChanged> {
    const checked = checkAddress(text)
    if ('why' in checked) return refused('invalid', checked.why)
    return this.#told(await this.#store.write(writers.removeAccount, checked.key))
  }

  async addAlias(text: string, targets: readonly string[]): Promise<Change> {
    const input = newAlias(text, targets)
    if ('why' in input) return refused('invalid', input.why)
    const { address } = input
    if (input.targets.some(target => canonicalAddress(target) === address)) {
      return refused('invalid', `${address} cannot lead to itself`)
    }
    return this.#told(await this.#store.write(aliases.addAlias, input))
  }

  /** Without targets the whole alias goes. */
  async removeAlias(text: string, targets: readonly string[] = []): Promise<Change> {
    const checked = checkAddress(text)
    if ('why' in checked) return refused('invalid', checked.why)
    const texts = targetTexts(targets)
    if ('why' in texts) return refused('invalid', texts.why)
    const input = { address: checked.key, targets: texts.targets }
    return this.#told(await this.#store.write(aliases.removeAlias, input))
  }

  /** Makes the rows of origin 'file' be these: all of them, or none with every reason why. */
  async declare(declarations: Declarations): Promise<aliases.Declared> {
    const whys: string[] = []
    const domains = declarations.domains.map(({ name, catchAll }) => newDomain(name, catchAll))
    const rows = declarations.aliases.map(({ address, targets }) => newAlias(address, targets))
    for (const row of [...domains, ...rows]) if ('why' in row) whys.push(row.why)
    if (whys.length > 0) return { kind: 'refused', whys }
    const input = {
      domains: unique(
        domains.filter(row => 'name' in row),
        row => row.name,
      ),
      aliases: rows.filter(row => 'address' in row),
    }
    return this.#told(await this.#store.write(aliases.declare, input))
  }

  /** The account at an address as a person typed it. */
  async find(text: string): Promise<readers.HeldAccount | undefined> {
    const checked = checkAddress(text)
    return 'why' in checked ? undefined : this.#store.read(readers.findAccount, checked.key)
  }

  domains(): Promise<readonly readers.DomainRow[]> {
    return this.#store.read(readers.listDomains, null)
  }

  /** Accounts by address, of a domain if one is given, behind `after`, at most 1000 at once. */
  accounts(page: Partial<readers.Page> = {}): Promise<readonly readers.ListedAccount[]> {
    const whole = { domain: '', after: '', limit: LIMIT, ...page }
    const list = whole.limit <= FEW ? readers.listFewAccounts : readers.listAccounts
    return this.#store.read(list, whole)
  }

  /** Targets of aliases by address, a row each, at most 1000 at once. */
  aliases(page: Partial<readers.AliasPage> = {}): Promise<readonly readers.AliasRow[]> {
    const whole = { domain: '', after: '', afterTarget: '', limit: LIMIT, ...page }
    return this.#store.read(readers.listAliases, whole)
  }

  async #setDisabled(text: string, disabled: boolean): Promise<writers.AccountChanged> {
    const checked = checkAddress(text)
    if ('why' in checked) return refused('invalid', checked.why)
    const input = { address: checked.key, disabled }
    return this.#told(await this.#store.write(writers.setDisabled, input))
  }

  async #verifiers(
    address: string,
    password: NewPassword,
  ): Promise<{ readonly made: readonly Verifier[] } | Refused> {
    if (typeof password !== 'string') return foreign(password.hash)
    const checked = checkPassword(password)
    if ('why' in checked) return refused('invalid', checked.why)
    const beside = (await this.#store.read(readers.findLogin, address))?.credentials ?? []
    const made = await this.#hasher.make({ password: checked.password, address, beside })
    return made.kind === 'busy'
      ? refused('busy', 'too many log-ins at once; try again')
      : { made: made.value }
  }

  /** Tells the caches before the caller hears of the change. */
  #told<Result extends { readonly kind: string; readonly id?: number }>(result: Result): Result {
    if (result.kind !== 'refused')
      this.#changed(result.id === undefined ? {} : { accountId: result.id })
    return result
  }
}

/** Kept as it is until its owner logs in. */
function foreign(hash: string): { readonly made: readonly Verifier[] } | Refused {
  if (isForeignHash(hash)) return { made: [{ kind: 'foreign', verifier: hash }] }
  const known = foreignSchemes.map(scheme => `{${scheme}}`).join(' ')
  return refused('invalid', `the hash is of no scheme that is known here: ${known}`)
}

function newDomain(text: string, catchAll?: string): writers.NewDomain | { readonly why: string } {
  const checked = checkDomain(text)
  if ('why' in checked) return checked
  if (catchAll === undefined) return { name: checked.domain, catchAll: null }
  const target = checkAddress(catchAll)
  return 'why' in target ? target : { name: checked.domain, catchAll: targetText(target) }
}

function newAlias(
  text: string,
  targets: readonly string[],
): aliases.AliasInput | { readonly why: string } {
  const checked = checkAddress(text)
  if ('why' in checked) return checked
  if (targets.length === 0) return { why: `${checked.key} leads nowhere` }
  const texts = targetTexts(targets)
  if ('why' in texts) return texts
  return { address: checked.key, domain: checked.address.domain, targets: texts.targets }
}

function targetTexts(
  targets: readonly string[],
): { readonly targets: readonly string[] } | { readonly why: string } {
  const texts: string[] = []
  for (const target of targets) {
    const checked = checkAddress(target)
    if ('why' in checked) return checked
    texts.push(targetText(checked))
  }
  return { targets: unique(texts, text => text.toLowerCase()) }
}

function targetText({ address }: Checked): string {
  return formatAddress(address)
}

/** The items whose keys differ; of two with one key the later. */
function unique<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  return [...new Map(items.map(item => [keyOf(item), item])).values()]
}
