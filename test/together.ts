/** Runs test files in the process that calls it: for tests that are small, and hold nothing that outlives them. */
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The files of some patterns, from the root of the project. */
export function filesOf(...patterns: readonly string[]): string[] {
  return patterns.flatMap(pattern => globSync(pattern, { cwd: root })).sort()
}

/** Loads them one after the other; their tests run in that order. */
export async function together(files: readonly string[]): Promise<void> {
  for (const file of files) await import(pathToFileURL(join(root, file)).href)
}
