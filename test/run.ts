/**
 * The one test command (`npm test`): types, lint, then every default test. The rooms' own tests share one
 * process (rooms.ts), which saves 130 starts of Node; each other file is a process of its own, and so is each
 * that is asked for by name (`npm test -- queue pop3`). Ends with the first of those that fails; the last
 * lines are those of node's own runner.
 * Interop and bench have commands of their own (`npm run interop`, `npm run bench`).
 */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = (name: string) => join(root, 'node_modules', '.bin', name)

/** Runs a command with our output; ends this process with its code where it fails. */
function step(name: string, command: string, args: readonly string[]): void {
  const startedAt = performance.now()
  // What Node has once compiled it takes from there: every process of the tests loads the same modules.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'tests') }
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env })
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  if (status === 0) {
    // The runner's own last lines stay the last.
    if (name !== 'tests') console.log(`# ${name}: good (${seconds} s)`)
    return
  }
  console.log(`# ${name}: failed (${error?.message ?? signal ?? `exit ${status}`})`)
  process.exit(status ?? 1)
}

/** What the runner is given: everything, or the files whose path has one of the words. */
function testFiles(words: readonly string[]): string[] {
  const files = (pattern: string) => globSync(pattern, { cwd: root }).sort()
  const [rooms, whole] = [files('src/**/*.test.ts'), files('test/**/*.test.ts')]
  if (words.length === 0) return ['test/rooms.ts', ...whole]
  return [...rooms, ...whole].filter(file => words.some(word => file.includes(word)))
}

const words = process.argv.slice(2)
const files = testFiles(words)
if (files.length === 0) {
  console.log('# no test file matches')
  process.exit(1)
}
if (words.length === 0) {
  step('types', bin('tsc'), ['-p', '.'])
  step('format and lint', bin('biome'), ['check', '.'])
  step('lint with types', bin('oxlint'), ['--type-aware', '--deny-warnings'])
}
step('tests', process.execPath, [
  '--test',
  '--test-concurrency=2',
  '--test-timeout=240000',
  ...files,
])
