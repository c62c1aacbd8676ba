/**
 * Finds readers and writers by name: the rooms' reader.ts and writer.ts, given as URLs by the composer,
 * are loaded in the thread where they shall run. Called by the worker modules.
 */
import type { Reader, Writer } from './store.ts'

export interface Named {
  readonly readers: ReadonlyMap<string, Reader<unknown, unknown>>
  readonly writers: ReadonlyMap<string, Writer<unknown, unknown>>
}

/** Loads the modules and collects what they export; two of one name are a bug. */
export async function loadNamed(urls: readonly string[]): Promise<Named> {
  const readers = new Map<string, Reader<unknown, unknown>>()
  const writers = new Map<string, Writer<unknown, unknown>>()
  for (const url of new Set(urls)) {
    const exported: Record<string, unknown> = await import(url)
    for (const value of new Set(Object.values(exported))) {
      if (isReader(value)) add(readers, value)
      else if (isWriter(value)) add(writers, value)
    }
  }
  return { readers, writers }
}

/** Re-exports of one and the same function are no duplicates. */
function add<Item extends { readonly name: string }>(items: Map<string, Item>, item: Item): void {
  const known = items.get(item.name)
  if (known !== undefined && known !== item) throw new Error(`two are named '${item.name}'`)
  items.set(item.name, item)
}

function kindOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined
}

function isReader(value: unknown): value is Reader<unknown, unknown> {
  return kindOf(value) === 'reader'
}

function isWriter(value: unknown): value is Writer<unknown, unknown> {
  return kindOf(value) === 'writer'
}
