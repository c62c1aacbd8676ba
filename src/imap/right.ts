/**
 * Rights at a mailbox (RFC 4314 §2): one letter each. `c` and `d` are those of RFC 2086: `c` stands for k and x, `d`
 * for t and e (§2.1.1), and both are told where any of theirs is there.
 */
import type { Cursor } from './cursor.ts'

/** In the order they are told. */
export const ALL_RIGHTS = 'lrswipkxtea'

const OBSOLETE: Readonly<Record<string, string>> = { c: 'kx', d: 'te' }

/** A set of rights in order, each once; undefined where a letter is none. */
function rightsOf(text: string): string | undefined {
  const wanted = new Set(Array.from(text).flatMap(letter => Array.from(OBSOLETE[letter] ?? letter)))
  if ([...wanted].some(letter => !ALL_RIGHTS.includes(letter))) return undefined
  return Array.from(ALL_RIGHTS)
    .filter(letter => wanted.has(letter))
    .join('')
}

/** How rights are told: with the obsolete letters (§2.1.1). */
export function formatRights(rights: string): string {
  const older = Object.entries(OBSOLETE).filter(([, stands]) =>
    Array.from(stands).some(letter => rights.includes(letter)),
  )
  return rights + older.map(([letter]) => letter).join('')
}

/** modrights = astring: `+` adds, `-` takes away, else they are all there are (§3.1). */
export function readRights(cursor: Cursor): {
  readonly mode: '+' | '-' | '='
  readonly rights: string
} {
  const text = cursor.astring()
  const mode = text.startsWith('+') ? '+' : text.startsWith('-') ? '-' : '='
  const rights = rightsOf(mode === '=' ? text : text.slice(1))
  if (rights === undefined) cursor.fail('there is no such right')
  return { mode, rights: rights ?? '' }
}

export function changedRights(before: string, mode: '+' | '-' | '=', rights: string): string {
  if (mode === '=') return rights
  const kept = Array.from(ALL_RIGHTS).filter(letter =>
    mode === '+'
      ? before.includes(letter) || rights.includes(letter)
      : before.includes(letter) && !rights.includes(letter),
  )
  return kept.join('')
}
