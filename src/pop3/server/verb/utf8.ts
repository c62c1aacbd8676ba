/**
 * UTF8 and LANG (RFC 6856). Names are UTF-8 here whether a client asks for it or not; messages come with UTF-8 in their
 * header to who has asked for it, to others as RFC 6858 has it. What we say is English.
 */
import { ok, replies, TERMINATOR } from '../../reply.ts'
import type { Input, Step, Turn } from '../turn.ts'

/** `UTF8` (§2.1), before the login. */
export function* utf8(turn: Turn, argument: string): Generator<Step, boolean, Input> {
  if (argument !== '') return turn.refuse(replies.noArguments)
  turn.utf8 = true
  turn.send(ok('UTF-8 it is'))
  return true
}

/** What we speak, by its tag; the default has a name of its own. */
const LANGUAGES: readonly (readonly [string, string])[] = [
  ['en', 'English'],
  ['i-default', 'English, for who has asked for nothing else'],
]

/**
 * `LANG [language-range]` (§3): without one those that there are; `*` is the default. A range of further subtags is
 * met by what it begins with.
 */
export function* lang(turn: Turn, argument: string): Generator<Step, boolean, Input> {
  if (argument === '') {
    const listed = LANGUAGES.map(([tag, name]) => `${tag} ${name}\r\n`).join('')
    turn.send(ok('languages follow') + listed + TERMINATOR)
    return true
  }
  const wanted = argument.toLowerCase()
  const found = LANGUAGES.find(([tag]) => wanted === tag || wanted.startsWith(`${tag}-`))
  const [tag] = wanted === '*' ? ['en'] : (found ?? [])
  if (tag === undefined) return turn.refuse(replies.noLanguage)
  turn.send(ok(`${tag} is spoken from here on`))
  return true
}
