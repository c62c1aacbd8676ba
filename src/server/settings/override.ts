/**
 * `--set PATH=VALUE`: one setting by its path, its text read as the schema wants it there. Lists
 * are parted by commas (`queue.retry=2s,4s,8s`), a record's value or a group may be JSON.
 */
import { nameRemedy, type SettingError } from './errors.ts'
import { type Schema, step, unwrap } from './schema.ts'

/** Raw settings, as a config file gives them. */
export type Raw = { [name: string]: unknown }

/** The parts of a text that stands for a group, by the group's path: what is set within it joins them. */
export type Parts = Readonly<Record<string, (text: string) => Raw | undefined>>

/**
 * Applies overrides, in order, to a copy of `raw`. Errors name the path; a value of the wrong kind
 * is left to the validation, which says what is wanted there.
 */
export function override(
  schema: Schema,
  raw: Readonly<Raw>,
  assignments: readonly string[],
  parts: Parts = {},
): { readonly raw: Raw; readonly errors: readonly SettingError[] } {
  const result = structuredClone(raw) as Raw
  const errors: SettingError[] = []
  for (const assignment of assignments) {
    const equals = assignment.indexOf('=')
    const path = (equals < 0 ? assignment : assignment.slice(0, equals)).trim()
    if (equals <= 0) {
      errors.push({ path, message: 'has no value', remedy: 'write --set PATH=VALUE' })
      continue
    }
    const error = assign({ schema, parts }, result, path, assignment.slice(equals + 1))
    if (error !== undefined) errors.push(error)
  }
  return { raw: result, errors }
}

function assign(
  { schema, parts: partsOf }: { readonly schema: Schema; readonly parts: Parts },
  raw: Raw,
  path: string,
  text: string,
): SettingError | undefined {
  let at: Schema = schema
  const parts = path.split('.')
  const names: string[] = []
  while (parts.length > 0) {
    const found = unwrap(at)
    // A record's keys (aliases) may have dots of their own: what is left is one name.
    const name = found.kind === 'record' ? parts.splice(0).join('.') : (parts.shift() as string)
    const below = isReserved(name) ? undefined : step(at, name)
    if (below === undefined) {
      return { path, message: 'there is no such setting', remedy: nameRemedy(schema, names, name) }
    }
    names.push(name)
    at = below
  }
  const last = names.pop() as string
  let group = raw
  for (const [i, name] of names.entries()) {
    const there = group[name]
    if (typeof there === 'string') {
      group[name] = partsOf[names.slice(0, i + 1).join('.')]?.(there) ?? {}
    } else if (there === null || typeof there !== 'object') group[name] = {}
    group = group[name] as Raw
  }
  group[last] = coerce(at, text)
  return undefined
}

function isReserved(name: string): boolean {
  return name === '__proto__' || name === 'constructor' || name === 'prototype' || name === ''
}

/** Text as the schema wants it; unreadable text stays text, for the validation to refuse. */
function coerce(schema: Schema, text: string): unknown {
  const found = unwrap(schema)
  switch (found.kind) {
    case 'number':
      return /^-?\d+(?:\.\d+)?$/.test(text.trim()) ? Number(text) : text
    case 'boolean':
      if (/^(?:true|yes|on|1)$/i.test(text)) return true
      return /^(?:false|no|off|0)$/i.test(text) ? false : text
    case 'array': {
      if (text.trimStart().startsWith('[')) return json(text)
      const parts = text === '' ? [] : text.split(',').map(part => part.trim())
      return parts.map(part => coerce(found.element, part))
    }
    case 'object':
    case 'record':
      return json(text)
    case 'union': {
      if (text.trimStart().startsWith('{')) return json(text)
      const list = found.options.find(option => unwrap(option).kind === 'array')
      return list !== undefined && text.includes(',') ? coerce(list, text) : text
    }
    default:
      return text
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
