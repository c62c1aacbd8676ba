/**
 * A look into the schema: which setting stands at a path, and of what kind. `--set`, the errors
 * and docs/configuration.md ask it, so that none of them repeats a name.
 */
import type { z } from 'zod'

/** Any zod schema, as its definition shows it. */
export type Schema = z.core.$ZodType

/** A setting, with optionality and defaults taken off. */
export type Field =
  | { readonly kind: 'object'; readonly shape: Readonly<Record<string, Schema>> }
  | { readonly kind: 'array'; readonly element: Schema }
  | { readonly kind: 'record'; readonly value: Schema }
  | { readonly kind: 'union'; readonly options: readonly Schema[] }
  | { readonly kind: 'number' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'choice'; readonly values: readonly string[] }
  | { readonly kind: 'text' }

/** The bare setting behind `default`, `prefault`, `optional` and `transform`. */
export function unwrap(schema: Schema): Field {
  const { def } = (schema as z.core.$ZodTypes)._zod
  switch (def.type) {
    case 'default':
    case 'prefault':
    case 'optional':
    case 'nullable':
    case 'readonly':
      return unwrap(def.innerType)
    case 'pipe':
      // What is only made ready for reading is what is read then.
      return unwrap(def.in._zod.def.type === 'transform' ? def.out : def.in)
    case 'object':
      return { kind: 'object', shape: def.shape }
    case 'array':
      return { kind: 'array', element: def.element }
    case 'record':
      return { kind: 'record', value: def.valueType }
    case 'union':
      return { kind: 'union', options: def.options }
    case 'number':
      return { kind: 'number' }
    case 'boolean':
      return { kind: 'boolean' }
    case 'enum':
      return { kind: 'choice', values: Object.values(def.entries).map(String) }
    default:
      return { kind: 'text' }
  }
}

/** The schema one step below, by name or index. */
export function step(schema: Schema, name: string): Schema | undefined {
  const found = unwrap(schema)
  switch (found.kind) {
    case 'object':
      return Object.hasOwn(found.shape, name) ? found.shape[name] : undefined
    case 'array':
      return /^\d+$/.test(name) ? found.element : undefined
    case 'record':
      return found.value
    case 'union':
      return found.options.map(option => step(option, name)).find(below => below !== undefined)
    default:
      return undefined
  }
}

/** The setting at a path; undefined where there is none. A union shows its group of settings. */
export function field(schema: Schema, path: readonly string[]): Field | undefined {
  let at: Schema | undefined = schema
  for (const name of path) {
    at = step(at, name)
    if (at === undefined) return undefined
  }
  const found = unwrap(at)
  if (found.kind !== 'union') return found
  return found.options.map(unwrap).find(option => option.kind === 'object') ?? found
}
