/**
 * Content-Type and Content-Transfer-Encoding as they are read (RFC 2045 §5, §6; RFC 2231): what is
 * needed to find the parts of a message and to tell how each is encoded. Called by walker.ts. It
 * takes whatever comes, as readers in the field do, and is linear.
 */

export interface ContentType {
  /** `text/plain`, in lower case; '' where the field makes no sense. */
  readonly type: string
  readonly boundary: string | undefined
  readonly charset: string | undefined
}

/** How a body is encoded; 'foreign' is an encoding that is not ours to read, such as x-uuencode. */
export type Encoding = 'identity' | 'quoted-printable' | 'base64' | 'foreign'

/**
 *     content := "Content-Type" ":" type "/" subtype *(";" parameter)
 *     parameter := attribute "=" value          value := token / quoted-string
 */
export function parseContentType(value: string): ContentType {
  const found = /^[ \t\r\n]*([^ \t\r\n/;()]+)[ \t\r\n]*\/[ \t\r\n]*([^ \t\r\n/;()]+)/.exec(
    withoutComment(value),
  )
  const parameters = found === null ? new Map<string, string>() : parametersOf(value)
  return {
    type: found === null ? '' : `${found[1]}/${found[2]}`.toLowerCase(),
    boundary: parameter(parameters, 'boundary'),
    charset: parameter(parameters, 'charset'),
  }
}

/**
 * `7bit`, `8bit`, `binary` and what nobody knows is text as it stands: so every reader takes it.
 * Names of a private kind (RFC 2045 §6.3) may mean an encoding indeed.
 */
export function parseEncoding(value: string): { label: string; encoding: Encoding } {
  const label = /^[^\s;()]*/.exec(withoutComment(value).trimStart())?.[0].toLowerCase() ?? ''
  if (label === 'quoted-printable' || label === 'base64') return { label, encoding: label }
  const foreign = label.startsWith('x-') || label === 'uuencode'
  return { label, encoding: foreign ? 'foreign' : 'identity' }
}

/** A value may begin with a comment; anywhere else it is left to be skipped. */
function withoutComment(value: string): string {
  return value.trimStart().startsWith('(') ? value.replace(/^\s*\([^)]*\)/, '') : value
}

/** Every parameter of a field by its name in lower case, as it stands; of two with one name the first counts. */
export function parametersOf(value: string): Map<string, string> {
  const parameters = new Map<string, string>()
  let at = value.indexOf(';')
  let equals = 0
  while (at >= 0 && at < value.length) {
    if (equals <= at) equals = value.indexOf('=', at + 1)
    const next = value.indexOf(';', at + 1)
    if (equals < 0) break
    if (next >= 0 && next < equals) {
      at = next
      continue
    }
    const name = value
      .slice(at + 1, equals)
      .trim()
      .toLowerCase()
    const read = readValue(value, equals + 1)
    if (!parameters.has(name)) parameters.set(name, read.text)
    at = value.indexOf(';', read.to)
  }
  return parameters
}

function readValue(value: string, from: number): { text: string; to: number } {
  let at = from
  while (' \t\r\n'.includes(value[at] ?? '-')) at++
  if (value[at] !== '"') {
    const end = value.indexOf(';', at)
    const to = end < 0 ? value.length : end
    // What is not quoted ends with white space and a comment; else it is taken as it stands.
    return {
      text: beforeComment(value.slice(at, to)).trim(),
      to,
    }
  }
  let text = ''
  for (at += 1; at < value.length && value[at] !== '"'; at++) {
    if (value[at] === '\\' && at + 1 < value.length) at++
    text += value[at]
  }
  return { text, to: at + 1 }
}

/** Without a comment behind white space. A pattern for it would look at a megabyte of blanks a million times. */
function beforeComment(text: string): string {
  for (let at = text.indexOf('('); at >= 0; at = text.indexOf('(', at + 1)) {
    if (/\s/.test(text[at - 1] ?? '')) return text.slice(0, at)
  }
  return text
}

/** RFC 2231 §3, §4: a parameter may come in sections, and each of them encoded. */
function parameter(parameters: ReadonlyMap<string, string>, name: string): string | undefined {
  const plain = parameters.get(name)
  if (plain !== undefined) return plain
  const extended = parameters.get(`${name}*`)
  if (extended !== undefined) return decoded(extended, true)
  let text: string | undefined
  for (let n = 0; ; n++) {
    const raw = parameters.get(`${name}*${n}`)
    const encoded = parameters.get(`${name}*${n}*`)
    if (raw === undefined && encoded === undefined) return text
    text = (text ?? '') + (raw ?? decoded(encoded ?? '', n === 0))
  }
}

function decoded(value: string, first: boolean): string {
  const text = first ? value.replace(/^[^']*'[^']*'/, '') : value
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
