/**
 * Which names a LIST tells and with which attributes (RFC 9051 §7.3.1, RFC 5258 §3): those that match, the parents
 * that are no mailboxes, and for RECURSIVEMATCH those that have a match below them.
 */
import { matchesPattern } from '../../list-pattern.ts'
import { DELIMITER } from '../../mailbox-name.ts'
import type { ListedMailbox } from '../question.ts'

const NO_END = Number.POSITIVE_INFINITY

export interface ListWish {
  readonly patterns: readonly string[]
  /** Whether anything of RFC 5258's syntax was used. */
  readonly extended: boolean
  /** SUBSCRIBED as a selection: those alone, whether they exist or not. */
  readonly subscribed: boolean
  /** SPECIAL-USE as a selection (RFC 6154 §5.1). */
  readonly specialUse: boolean
  readonly recursive: boolean
  /** \Subscribed is told. */
  readonly tellSubscribed: boolean
}

export interface Listed {
  readonly name: string
  readonly exists: boolean
  readonly attributes: readonly string[]
  /** CHILDINFO: which selection has a match below it. */
  readonly childInfo: readonly string[]
}

export function listed(mailboxes: readonly ListedMailbox[], wish: ListWish): Listed[] {
  const known = new Map(mailboxes.map(mailbox => [mailbox.name, mailbox]))
  const parents = parentsOf(mailboxes.filter(({ exists }) => exists))
  const selected = mailboxes.filter(mailbox => isSelected(mailbox, wish))
  const names = new Set(selected.map(({ name }) => name))
  // Without a selection, a level that is no mailbox is told too: there are mailboxes below it (§6.3.9).
  if (!wish.subscribed && !wish.specialUse) for (const name of parents) names.add(name)
  const above = wish.recursive ? aboveThese(selected, wish) : new Set<string>()
  for (const name of above) names.add(name)
  const matching = [...names]
    .filter(name => wish.patterns.some(pattern => matchesPattern(name, pattern)))
    .sort()
  const inbox = matching.indexOf('INBOX')
  if (inbox > 0) matching.unshift(...matching.splice(inbox, 1))
  return matching.map(name => told(name, known.get(name), parents.has(name), above.has(name), wish))
}

function isSelected({ exists, subscribed, specialUse }: ListedMailbox, wish: ListWish): boolean {
  if (wish.subscribed && !subscribed) return false
  if (wish.specialUse && specialUse.length === 0) return false
  return exists || wish.subscribed
}

/** RFC 5258 §3.5: parents of a match that no pattern matches by itself. */
function aboveThese(selected: readonly ListedMailbox[], { patterns }: ListWish): Set<string> {
  const matched = (name: string) => patterns.some(pattern => matchesPattern(name, pattern))
  return parentsOf(selected.filter(({ name }) => !matched(name)))
}

function told(
  name: string,
  mailbox: ListedMailbox | undefined,
  parent: boolean,
  above: boolean,
  wish: ListWish,
): Listed {
  const exists = mailbox?.exists ?? false
  const attributes = [
    // \NonExistent says it all; older clients know only the other.
    ...(exists ? [] : ['\\NonExistent', '\\Noselect']),
    parent ? '\\HasChildren' : '\\HasNoChildren',
    ...(wish.tellSubscribed && mailbox?.subscribed ? ['\\Subscribed'] : []),
    ...(mailbox?.specialUse ?? []),
  ]
  const childInfo = above && wish.subscribed ? ['SUBSCRIBED'] : []
  return { name, exists, attributes, childInfo }
}

/** Names that have others below them; it stops where they are more than `most`. */
export function parentsOf(mailboxes: readonly ListedMailbox[], most = NO_END): Set<string> {
  const parents = new Set<string>()
  for (const { name } of mailboxes) {
    if (parents.size > most) break
    for (const parent of ancestors(name)) {
      // With it those above it are there.
      if (parents.has(parent)) break
      parents.add(parent)
    }
  }
  return parents
}

/** `a/b/c`: `a/b`, `a`. */
function* ancestors(name: string): Generator<string> {
  for (let at = name.lastIndexOf(DELIMITER); at > 0; at = name.lastIndexOf(DELIMITER, at - 1)) {
    yield name.slice(0, at)
  }
}
