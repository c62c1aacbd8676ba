/**
 * Flags (RFC 9051 §2.3.2): system flags begin with a backslash and have one spelling here whatever the
 * client writes; keywords keep the spelling they were first seen in. Read here, kept by mailbox/flags.ts.
 */
import type { Cursor } from './cursor.ts'

export const SYSTEM_FLAGS = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft'] as const

/** The right that changes a flag (RFC 4314 §2.1). */
export function rightFor(flag: string): 's' | 't' | 'w' {
  return flag === '\\Seen' ? 's' : flag === '\\Deleted' ? 't' : 'w'
}

const spelling = new Map(SYSTEM_FLAGS.map(flag => [flag.toLowerCase(), flag as string]))

/** A keyword is no longer, and a message has no more of them (a bound of ours). */
const KEYWORD_MAX_CHARS = 100
const FLAGS_MAX = 100

/**
 * flag = "\Answered" / ... / flag-keyword / flag-extension. `\Recent` cannot be set (RFC 3501 §2.3.2),
 * and no other `\` flag exists: both are faults.
 */
function readFlag(cursor: Cursor): string {
  if (cursor.take('\\')) {
    const name = `\\${cursor.atom()}`
    const known = spelling.get(name.toLowerCase())
    if (known === undefined) cursor.fail(`${name} is no flag that can be set`)
    return known ?? ''
  }
  const keyword = cursor.atom()
  if (keyword.length > KEYWORD_MAX_CHARS) cursor.fail('the keyword is too long')
  return keyword
}

/** flag-list = "(" [flag *(SP flag)] ")". */
export function readFlagList(cursor: Cursor): string[] {
  return unique(cursor.list(() => readFlag(cursor), FLAGS_MAX))
}

/** store-att-flags takes `flag *(SP flag)` without parentheses too. */
export function readStoreFlags(cursor: Cursor): string[] {
  if (cursor.next === 0x28) return readFlagList(cursor)
  const flags: string[] = []
  do flags.push(readFlag(cursor))
  while (flags.length <= FLAGS_MAX && cursor.take(' '))
  return unique(flags)
}

/** The first spelling of each; keywords have no case (RFC 9051 §2.3.2). */
function unique(flags: readonly string[]): string[] {
  const seen = new Map<string, string>()
  for (const flag of flags) if (!seen.has(flag.toLowerCase())) seen.set(flag.toLowerCase(), flag)
  return [...seen.values()]
}
