/**
 * Every setting as a table for docs/configuration.md: path, default, what it takes, what it means.
 * Read off the schema, so that the document cannot say what the server does not do; a test
 * compares the two.
 */
import { type Schema, unwrap } from './schema.ts'

interface Row {
  readonly path: string
  readonly takes: string
  readonly standard: string
  readonly meaning: string
}

/** What zod knows of a setting beside its kind. */
interface Shown {
  readonly description?: string
  readonly meta?: () => { readonly unit?: string } | undefined
}

/** The default as a user would write it; undefined where there is none. */
function defaultOf(schema: Schema): unknown {
  const { def } = (schema as Parameters<typeof unwrap>[0] & { _zod: { def: { type: string } } })
    ._zod
  if (def.type !== 'default' && def.type !== 'prefault') return undefined
  return (def as unknown as { readonly defaultValue: unknown }).defaultValue
}

function innerOf(schema: Schema): Schema | undefined {
  const def = schema._zod.def as unknown as { readonly innerType?: Schema }
  return def.innerType
}

/** 'duration', 'size' or 'keywords', where the schema marks it, at any depth below defaults. */
function unitOf(schema: Schema): string | undefined {
  let at: Schema | undefined = schema
  while (at !== undefined) {
    const unit = (at as Shown).meta?.()?.unit
    if (unit !== undefined) return unit
    at = innerOf(at)
  }
  return undefined
}

function takes(schema: Schema): string {
  const unit = unitOf(schema)
  if (unit !== undefined) return unit
  const found = unwrap(schema)
  switch (found.kind) {
    case 'choice':
      return found.values.map(value => `\`${value}\``).join(', ')
    case 'array':
      return `list of ${takes(found.element)}`
    case 'record':
      return 'names and values'
    case 'union':
      return [...new Set(found.options.map(takes))].join(' or ')
    case 'object':
      return 'group'
    case 'boolean':
      return 'true or false'
    default:
      return found.kind
  }
}

function standard(value: unknown): string {
  if (value === undefined) return '-'
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(standard).join(' ')
  if (value === '') return 'empty'
  if (typeof value === 'object') return '-'
  return `\`${JSON.stringify(value).replace(/^"|"$/g, '')}\``
}

function rows(schema: Schema, path: string): Row[] {
  const found = unwrap(schema)
  const meaning = (schema as Shown).description ?? ''
  const row = { path, takes: takes(schema), standard: standard(defaultOf(schema)), meaning }
  const groups = found.kind === 'union' ? found.options : [schema]
  const below = groups.flatMap(group => {
    const inner = unwrap(group)
    if (inner.kind === 'array')
      return rows(inner.element, `${path}[]`).filter(one => one.path !== `${path}[]`)
    if (inner.kind === 'record')
      return rows(inner.value, `${path}.NAME`).filter(one => one.path !== `${path}.NAME`)
    if (inner.kind !== 'object') return []
    return Object.entries(inner.shape).flatMap(([name, setting]) =>
      rows(setting, path === '' ? name : `${path}.${name}`),
    )
  })
  if (path === '') return below
  return found.kind === 'object' && meaning === '' ? below : [row, ...below]
}

/** The settings of a schema as a Markdown table. */
export function settingsTable(schema: Schema): string {
  const lines = rows(schema, '').map(
    row =>
      `| \`${row.path}\` | ${row.standard} | ${row.takes} | ${row.meaning.replace(/\|/g, '\\|')} |`,
  )
  return ['| setting | default | takes | meaning |', '|---|---|---|---|', ...lines].join('\n')
}
