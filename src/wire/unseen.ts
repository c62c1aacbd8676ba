/**
 * Characters that a terminal, or an eye, takes for something else than what they are: controls (C1 too, of which U+009B
 * begins a command to a terminal as ESC [ does), separators of lines, those that turn the direction of writing, and
 * those that are not seen at all. What a peer said may hold any of them; who shows it to people escapes them. Used by
 * cli/ and the log.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
/** Nearly every line. */
const PLAIN = /^[\x20-\x7e\n]*$/

/** The text with what `shown` makes in the place of each. */
export function withoutUnseen(text: string, shown: (character: string) => string): string {
  return PLAIN.test(text) && !text.includes('\n') ? text : text.replace(UNSEEN, shown)
}

/** JSON that means the same and holds none of them; its line ends stay. */
export function plainJson(json: string): string {
  if (PLAIN.test(json)) return json
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  return json.replace(UNSEEN, each => (each === '\n' ? each : each.split('').map(escaped).join('')))
}
