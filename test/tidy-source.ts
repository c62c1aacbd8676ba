/**
 * A rough reading of TypeScript for tidy.test.ts: comments taken out, imports found, functions
 * measured. It tokenizes strings, templates, regular expressions and comments, and no more.
 */

interface Piece {
  readonly kind: 'code' | 'comment' | 'string' | 'regex'
  readonly from: number
  readonly to: number
}

/** The pieces of a source text, in order. Template literals count as strings, their holes too. */
function pieces(text: string): Piece[] {
  const found: Piece[] = []
  let codeFrom = 0
  let at = 0
  const cut = (kind: Piece['kind'], to: number) => {
    if (at > codeFrom) found.push({ kind: 'code', from: codeFrom, to: at })
    found.push({ kind, from: at, to })
    at = to
    codeFrom = to
  }
  while (at < text.length) {
    const two = text.slice(at, at + 2)
    const one = text[at] as string
    if (two === '//') cut('comment', endOr(text, '\n', at, 0))
    else if (two === '/*') cut('comment', endOr(text, '*/', at + 2, 2))
    else if (one === "'" || one === '"' || one === '`') cut('string', stringEnd(text, at))
    else if (one === '/' && startsRegex(text, at)) cut('regex', regexEnd(text, at))
    else at++
  }
  if (at > codeFrom) found.push({ kind: 'code', from: codeFrom, to: at })
  return found
}

function endOr(text: string, mark: string, from: number, beyond: number): number {
  const end = text.indexOf(mark, from)
  return end < 0 ? text.length : end + beyond
}

function stringEnd(text: string, from: number): number {
  const quote = text[from]
  for (let i = from + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === quote) return i + 1
    else if (quote === '`' && text[i] === '$' && text[i + 1] === '{') i = holeEnd(text, i + 2)
  }
  return text.length
}

/** The closing brace of a `${...}`. */
function holeEnd(text: string, from: number): number {
  let depth = 1
  for (let i = from; i < text.length; i++) {
    const character = text[i] as string
    if (character === '{') depth++
    else if (character === '}' && --depth === 0) return i
    else if (character === "'" || character === '"' || character === '`') i = stringEnd(text, i) - 1
  }
  return text.length
}

function startsRegex(text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - 20), at).trimEnd()
  return before === '' || /(?:[(,=:[!&|?{};+>]|\breturn|\bcase|\bof|\bin)$/.test(before)
}

function regexEnd(text: string, from: number): number {
  let inClass = false
  for (let i = from + 1; i < text.length && text[i] !== '\n'; i++) {
    const character = text[i]
    if (character === '\\') i++
    else if (character === '[') inClass = true
    else if (character === ']') inClass = false
    else if (character === '/' && !inClass) return i + 1
  }
  return from + 1
}

/** The text with comments (and strings and regular expressions) blanked; offsets stay true. */
export function withoutComments(text: string, alsoStrings = false): string {
  let result = ''
  for (const { kind, from, to } of pieces(text)) {
    const piece = text.slice(from, to)
    const keep = kind === 'code' || (kind === 'string' && !alsoStrings)
    result += keep ? piece : piece.replace(/[^\n]/g, ' ')
  }
  return result
}

export interface Import {
  readonly specifier: string
  /** `import type`, `export type`, or every name in braces marked `type`. */
  readonly typeOnly: boolean
}

/** Static and dynamic imports and re-exports. */
export function importsOf(text: string): Import[] {
  const source = withoutComments(text)
  const found: Import[] = []
  const statics = /^\s*(?:import|export)\s+(type\s+)?([^'";]*?)\s*from\s*'([^']+)'/gm
  for (const [, type, names, specifier] of source.matchAll(statics)) {
    const inner = /^\{([^}]*)\}$/.exec((names ?? '').trim())?.[1]
    const allTypes = inner
      ?.split(',')
      .filter(name => name.trim() !== '')
      .every(name => name.trim().startsWith('type '))
    found.push({
      specifier: specifier as string,
      typeOnly: type !== undefined || allTypes === true,
    })
  }
  for (const [, specifier] of source.matchAll(/^\s*import\s*'([^']+)'/gm)) {
    found.push({ specifier: specifier as string, typeOnly: false })
  }
  // A dynamic import runs later: it is no circle, but it does point somewhere.
  for (const [, specifier] of source.matchAll(/\bimport\(\s*'([^']+)'/g)) {
    found.push({ specifier: specifier as string, typeOnly: true })
  }
  return found
}

export interface Measured {
  readonly name: string
  readonly line: number
  readonly lines: number
}

/** Functions and methods with bodies that begin and end a line; their length in lines. */
export function functionsOf(text: string): Measured[] {
  const lines = withoutComments(text, true).split('\n')
  const found: Measured[] = []
  for (const [i, line] of lines.entries()) {
    const head =
      /^(\s*)(?:export\s+)?(?:async\s+)?function\s*\*?\s*(\w+)/.exec(line) ??
      /^(\s+)(?:static\s+|async\s+|get\s+|set\s+|\*\s*)*(#?\w+)\s*(?:<[^>]*>)?\(.*\{$/.exec(line) ??
      /^(\s*)(?:export\s+)?const\s+(\w+)\s*=\s*(?:async\s*)?(?:\(.*=>\s*\{|function)/.exec(line)
    if (head === null || /^(?:if|for|while|switch|catch|return|async)$/.test(head[2] as string))
      continue
    const close = `${head[1]}}`
    const end = lines.findIndex((other, j) => j > i && other.trimEnd() === close)
    if (end > 0) found.push({ name: head[2] as string, line: i + 1, lines: end - i + 1 })
  }
  return found
}
