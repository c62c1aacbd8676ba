/**
 * The patterns of LIST and LSUB (RFC 9051 §6.3.9): `*` is anything, `%` anything but the delimiter. A client may
 * say a thousand wildcards of ten thousand names while all other sessions wait: each name costs its length
 * times that of the pattern, and `isTooMuch` says beforehand where that is too much.
 */
import { DELIMITER } from './mailbox-name.ts'

/** Ten thousand names of 25 characters by a pattern of 10: a fortieth of a second, in which nobody else is served. */
const WORK_MAX = 2_500_000

/** Whether a name matches. INBOX has no case (RFC 9051 §5.1), so neither has what is to match it. */
export function matchesPattern(name: string, pattern: string): boolean {
  const text = pattern.replace(/[*%]+/g, run => (run.includes('*') ? '*' : '%'))
  return matchesText(name, text) || (/^INBOX(?:\/|$)/.test(name) && matchesInbox(name, text))
}

/** Whether it would take too long to hold all names against all patterns. */
export function isTooMuch(names: Iterable<string>, patterns: readonly string[]): boolean {
  let work = 0
  // A wildcard at the end, which is what most ask for, costs nothing to speak of.
  for (const pattern of patterns) if (/[*%]./s.test(pattern)) work += pattern.length
  if (work === 0) return false
  let characters = 0
  for (const name of names) characters += name.length
  return characters * work > WORK_MAX
}

function matchesInbox(name: string, text: string): boolean {
  const first = text.split(DELIMITER, 1)[0] ?? ''
  return matchesText(name, first.toUpperCase() + text.slice(first.length))
}

/** @param text without two wildcards side by side */
function matchesText(name: string, text: string): boolean {
  const plain = text.search(/[*%]/)
  if (plain < 0) return name === text
  if (!name.startsWith(text.slice(0, plain))) return false
  if (plain < text.length - 1) return matchesWild(name, text)
  // One wildcard at the end, as nearly always.
  return text[plain] === '*' || !name.includes(DELIMITER, plain)
}

function matchesWild(name: string, text: string): boolean {
  // All places in the pattern that the name read so far can have come to.
  let places = new Uint8Array(text.length + 2)
  let next = new Uint8Array(text.length + 2)
  reach(places, text, 0)
  for (const character of name.split('')) {
    next.fill(0)
    let alive = false
    for (let place = places.indexOf(1); place >= 0; place = places.indexOf(1, place + 1)) {
      const here = text[place]
      const stays = here === '*' || (here === '%' && character !== DELIMITER)
      if (!stays && (here !== character || here === '%')) continue
      reach(next, text, stays ? place : place + 1)
      alive = true
    }
    if (!alive) return false
    const read = places
    places = next
    next = read
  }
  return places[text.length] === 1
}

/** A place, and the one behind a wildcard that stands for nothing. */
function reach(places: Uint8Array, text: string, place: number): void {
  places[place] = 1
  if (text[place] === '*' || text[place] === '%') places[place + 1] = 1
}
