/**
 * The tests of every room, in one process: they are small, and hold nothing that outlives them. run.ts calls it.
 */
import { globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
for (const file of globSync('src/**/*.test.ts', { cwd: fileURLToPath(root) }).sort()) {
  await import(new URL(file, root).href)
}
