/**
 * App passwords, for those who keep them: made by us and shown once, for one program each and for what it
 * does (smtp, imap, pop3), listed with when they were used last, and taken back alone.
 */

import type { Store } from '../store/store.ts'
import type { Random } from '../world/random.ts'
import { checkAddress } from './address.ts'
import { addApp, removeApp } from './app-writer.ts'
import { type Hasher, makePassword } from './credentials.ts'
import { findLogin, type ListedApp, listApps } from './reader.ts'
import { scopes as allScopes, type Scope } from './verifier.ts'
import { noAccount, type Refused, refused } from './writer.ts'

export type AppAdded =
  | { readonly kind: 'added'; readonly id: string; readonly password: string }
  | Refused

const LABEL_MAX = 60

export class AppPasswords {
  readonly #store: Store
  readonly #hasher: Hasher
  readonly #random: Random
  readonly #changed: (accountId: number) => void

  constructor(store: Store, hasher: Hasher, random: Random, changed: (accountId: number) => void) {
    this.#store = store
    this.#hasher = hasher
    this.#random = random
    this.#changed = changed
  }

  /** Makes one; its password is told here and never again. */
  async add(text: string, label: string, wanted: readonly Scope[] = allScopes): Promise<AppAdded> {
    const checked = checkAddress(text)
    if ('why' in checked) return refused('invalid', checked.why)
    if (label.trim() === '' || label.length > LABEL_MAX || /\p{Cc}/u.test(label))
      return refused('invalid', `a label is 1 to ${LABEL_MAX} characters, such as 'phone'`)
    const scopes = allScopes.filter(scope => wanted.includes(scope))
    if (scopes.length === 0)
      return refused('invalid', `an app password is for some of: ${allScopes.join(', ')}`)
    const { key: address } = checked
    const row = await this.#store.read(findLogin, address)
    if (row === undefined) return noAccount(address)
    const password = makePassword(this.#random)
    const made = await this.#hasher.makeApp({ password, address, beside: row.credentials })
    if (made.kind === 'busy') return refused('busy', 'too many log-ins at once; try again')
    const id = Buffer.from(this.#random.octets(6)).toString('hex')
    const written = await this.#store.write(addApp, {
      ...{ address, id, label: label.trim(), scopes: scopes.join(' '), verifiers: made.value },
    })
    if (written.kind === 'refused') return written
    this.#changed(written.id)
    return { kind: 'added', id, password }
  }

  /** By label or id. Connections that stand are left alone; the next login fails. */
  async remove(text: string, named: string): Promise<{ readonly kind: 'changed' } | Refused> {
    const checked = checkAddress(text)
    if ('why' in checked) return refused('invalid', checked.why)
    const written = await this.#store.write(removeApp, { address: checked.key, named })
    if (written.kind === 'changed') this.#changed(written.id)
    return written
  }

  async list(text: string): Promise<readonly ListedApp[] | Refused> {
    const checked = checkAddress(text)
    if ('why' in checked) return refused('invalid', checked.why)
    return (await this.#store.read(listApps, checked.key)) ?? noAccount(checked.key)
  }
}
