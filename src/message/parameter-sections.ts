/**
 * Parameters that came in sections (RFC 2231 §3), as IMAP tells them (RFC 9051 §7.5.2): `name*0`, `name*1` are one `name`; where
 * a section is encoded (§4.1), all are one `name*` in that encoding. Called by structure-scan.ts.
 */
import type { Parameter } from './structure.ts'

/** A section: the name, its place, and whether it is encoded. */
const SECTION = /^(.+?)\*(\d{1,4})(\*?)$/

/** In the order they came; what is no whole row of sections from 0 on stays as it stands. */
export function withJoinedSections(parameters: ReadonlyMap<string, string>): readonly Parameter[] {
  const told: Parameter[] = []
  const used = new Set<string>()
  for (const [name, value] of parameters) {
    if (used.has(name)) continue
    const [, base = '', place] = SECTION.exec(name) ?? []
    const sections = place === '0' ? sectionsOf(parameters, base) : []
    const joined = joinedOf(base, sections)
    // Where it stands there whole too, nobody can say which is meant.
    if (joined === undefined || parameters.has(joined[0])) told.push([name, value])
    else {
      told.push(joined)
      for (const section of sections) used.add(section.name)
    }
  }
  // A section that came before the first one was told by itself.
  return used.size === 0 ? told : told.filter(([name]) => !used.has(name))
}

interface SectionText {
  readonly name: string
  readonly encoded: boolean
  readonly text: string
}

function sectionsOf(parameters: ReadonlyMap<string, string>, base: string): SectionText[] {
  const sections: SectionText[] = []
  for (let place = 0; ; place++) {
    const encoded = !parameters.has(`${base}*${place}`)
    const name = `${base}*${place}${encoded ? '*' : ''}`
    const text = parameters.get(name)
    if (text === undefined) return sections
    sections.push({ name, encoded, text })
  }
}

function joinedOf(base: string, sections: readonly SectionText[]): Parameter | undefined {
  const [first] = sections
  if (first === undefined) return undefined
  if (sections.every(({ encoded }) => !encoded)) {
    return [base, sections.map(({ text }) => text).join('')]
  }
  // §4.1: the charset and the language stand before the first section, if anywhere.
  const lead = first.encoded ? '' : "''"
  return [
    `${base}*`,
    lead + sections.map(each => (each.encoded ? each.text : escaped(each.text))).join(''),
  ]
}

/** What is not encoded, among what is: every octet that is no attribute-char. */
function escaped(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    each => `%${each.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
