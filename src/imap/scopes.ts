/**
 * Which of several scopes (notify.ts) a mailbox is of: the first one counts (RFC 5465 §3.1). A client may name two hundred
 * scopes, and have ten thousand mailboxes a hundred levels deep: so each level of a name is looked for once, however
 * many scopes there are, and only where a scope is as long as it.
 */
import { DELIMITER, OTHER_USERS } from './mailbox-name.ts'
import type { Scope } from './notify.ts'

interface Named {
  readonly name: string
  readonly subscribed: boolean
}

const NONE = Number.POSITIVE_INFINITY

export class Scopes {
  /** The first scope of each kind that has no names, and of each name. */
  readonly #plain = new Map<Scope['kind'], number>()
  readonly #mailboxes = new Map<string, number>()
  readonly #parents = new Map<string, number>()
  readonly #roots = new Map<string, number>()
  /** Lengths of roots. */
  readonly #lengths = new Set<number>()

  constructor(scopes: readonly Scope[]) {
    for (const [n, scope] of scopes.entries()) {
      if (!('names' in scope)) add(this.#plain, scope.kind, n)
      else for (const name of scope.names) this.#name(scope.kind, name, n)
    }
  }

  #name(kind: 'subtree' | 'subtree-one' | 'mailboxes', name: string, n: number): void {
    if (kind === 'subtree') {
      add(this.#roots, name, n)
      this.#lengths.add(name.length)
      return
    }
    add(this.#mailboxes, name, n)
    if (kind === 'subtree-one') add(this.#parents, name, n)
  }

  /** The place of the first scope that the mailbox is of; undefined where it is of none. The selected one is asked of by nobody. */
  first({ name, subscribed }: Named): number | undefined {
    const plain = (kind: Scope['kind'], is: boolean) =>
      is ? (this.#plain.get(kind) ?? NONE) : NONE
    const up = name.lastIndexOf(DELIMITER)
    const first = Math.min(
      plain('inboxes', name === 'INBOX'),
      plain('personal', !name.startsWith(`${OTHER_USERS}${DELIMITER}`)),
      plain('subscribed', subscribed),
      this.#mailboxes.get(name) ?? NONE,
      this.#parents.size > 0 && up > 0 ? (this.#parents.get(name.slice(0, up)) ?? NONE) : NONE,
      this.#root(name),
    )
    return first === NONE ? undefined : first
  }

  #root(name: string): number {
    if (this.#roots.size === 0) return NONE
    let first = this.#roots.get(name) ?? NONE
    for (let at = name.indexOf(DELIMITER); at > 0; at = name.indexOf(DELIMITER, at + 1)) {
      if (!this.#lengths.has(at)) continue
      first = Math.min(first, this.#roots.get(name.slice(0, at)) ?? NONE)
    }
    return first
  }
}

function add<Key>(places: Map<Key, number>, key: Key, n: number): void {
  if (!places.has(key)) places.set(key, n)
}
