/**
 * Addresses that an account may write as, beside those that lead to it, for those who keep them: given by pattern,
 * as the account itself or on behalf of others. What a pattern means, and what the config gives beside it, is
 * inbound/identity.ts's to say.
 */
import type { Store } from '../store/store.ts'
import { checkAddress } from './address.ts'
import {
  addIdentity,
  type Identity,
  type ListedIdentity,
  listIdentities,
  removeIdentity,
} from './identity-row.ts'
import { type AccountChanged, noAccount, type Refused, refused } from './writer.ts'

const PATTERN_MAX = 320

export class Identities {
  readonly #store: Store
  readonly #changed: (accountId: number) => void

  constructor(store: Store, changed: (accountId: number) => void) {
    this.#store = store
    this.#changed = changed
  }

  /** Given again it is as it was given last. The pattern is one already, in its one spelling. */
  async add(text: string, identity: Identity): Promise<AccountChanged> {
    const checked = checkAddress(text)
    if ('why' in checked) return refused('invalid', checked.why)
    if (identity.pattern.length > PATTERN_MAX)
      return refused('invalid', `no address has more than ${PATTERN_MAX} characters`)
    return this.#told(await this.#store.write(addIdentity, { address: checked.key, ...identity }))
  }

  /** A session that stands goes by it at its next message. */
  async remove(text: string, pattern: string): Promise<AccountChanged> {
    const checked = checkAddress(text)
    if ('why' in checked) return refused('invalid', checked.why)
    return this.#told(await this.#store.write(removeIdentity, { address: checked.key, pattern }))
  }

  async list(text: string): Promise<readonly ListedIdentity[] | Refused> {
    const checked = checkAddress(text)
    if ('why' in checked) return refused('invalid', checked.why)
    return (await this.#store.read(listIdentities, checked.key)) ?? noAccount(checked.key)
  }

  #told(result: AccountChanged): AccountChanged {
    if (result.kind === 'changed') this.#changed(result.id)
    return result
  }
}
