/**
 * The one test command (`npm test`): types, format and lint, then every default test. What needs no process of its
 * own shares one (rooms.ts, towns.ts, contracts.ts, dialogues.ts): hundreds of starts of Node are saved. Each other file is
 * a process, and so is each that is asked for by name (`npm test -- queue pop3`). The last lines are those of
 * node's own runner, unless what each file took is asked for (`--costs`) or a check has failed.
 * Interop and bench have commands of their own (`npm run interop`, `npm run bench`).
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'
import { costsOf } from './kit/cost.ts'
import { newRun } from './kit/once.ts'
import { filesOf } from './together.ts'

const { priority } = constants
const root = fileURLToPath(new URL('..', import.meta.url))
const cache = join(root, 'node_modules', '.cache')
const bin = (name: string) => join(root, 'node_modules', '.bin', name)

/** All at once, beside the tests. */
const CHECKS = [
  ['lint with types', bin('oxlint'), ['--type-aware', '--deny-warnings']],
  // What was right before and has not changed since is not checked again.
  ['types', bin('tsc'), ['-p', '.', '--incremental', '--tsBuildInfoFile', join(cache, 'types')]],
  // The compilers of programs that use the library are less strict than ours, and find other faults.
  [
    'types for others',
    bin('tsc'),
    [
      '-p',
      'tsconfig.library.json',
      '--incremental',
      '--tsBuildInfoFile',
      join(cache, 'types-library'),
    ],
  ],
  ['format and lint', bin('biome'), ['check', '.']],
] as const

/** These hold a core for a minute or less: whoever waits for a process, a disk or a clock runs beside them. */
const SHARED = ['test/towns.ts', 'test/rooms.ts', 'test/contracts.ts', 'test/dialogues.ts']
/** Of the others, those that take longest: they begin before whatever is short, so that no core is idle at the end. */
const LONG = ['test/cluster/', 'test/abuse/', 'test/crash/']
/** Has told what files took of the machine at the end, and of how many. */
const COSTS = '--costs'
const COSTS_TOLD = 40
const IN_SHARED = /^(?:src|test\/(?:sim|journey|contract|transcript|fuzz))\//

/** A check by its name: runs it, says how it went and what it said; once more at the end where it failed. */
async function check([name, command, args]: (typeof CHECKS)[number]): Promise<void> {
  const startedAt = performance.now()
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  // They take what the tests leave, many of which wait for a process, a disk or a clock.
  if (child.pid !== undefined) setPriority(child.pid, priority.PRIORITY_BELOW_NORMAL)
  const said: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (octets: Buffer) => said.push(octets))
  }
  const [code] = await Promise.race([once(child, 'close'), once(child, 'error')])
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  if (code === 0) return console.log(`# ${name}: good (${seconds} s)`)
  process.exitCode = 1
  console.log(Buffer.concat(said).toString())
  const failed = `# ${name}: failed (${code})`
  console.log(failed)
  process.once('exit', () => console.log(failed))
}

/**
 * In the order in which they begin: one that computes, then such as wait, as many as take about as long; what is
 * short comes last.
 */
function inOrder(computing: readonly string[], others: readonly string[]): string[] {
  const isLong = (file: string) => LONG.some(folder => file.startsWith(folder))
  const long = LONG.flatMap(folder => others.filter(file => file.startsWith(folder)))
  const share = Math.ceil(long.length / computing.length)
  return [
    ...computing.flatMap((file, n) => [file, ...long.slice(n * share, (n + 1) * share)]),
    ...others.filter(file => !isLong(file)),
  ]
}

const all = filesOf('src/**/*.test.ts', 'test/**/*.test.ts')
const told = process.argv.includes(COSTS)
const words = process.argv.slice(2).filter(word => word !== COSTS)
const files =
  words.length === 0
    ? inOrder(
        SHARED,
        all.filter(file => !IN_SHARED.test(file)),
      )
    : all.filter(file => words.some(word => file.includes(word)))
if (files.length === 0) {
  console.log('# no test file matches')
  process.exit(1)
}
if (words.length === 0) for (const each of CHECKS) void check(each)
// What Node has once compiled it takes from there: every process of the tests loads the same modules.
process.env['NODE_COMPILE_CACHE'] = join(cache, 'tests')
const folder = newRun()
process.env['POSTRIDER_TEST_RUN'] = folder
// Two cores: garbage is collected by the thread that makes it, and not before there is some.
const quickly = [
  ...['--max-semi-space-size=32', '--min-semi-space-size=16', '--no-parallel-scavenge'],
  ...['--import', join(root, 'test', 'kit', 'quick-hooks.ts')],
]
const tests = run({ files, cwd: root, concurrency: 3, timeout: 480_000, execArgv: quickly })
tests.on('test:fail', () => {
  process.exitCode = 1
})
if (told) tests.once('end', () => console.log(costsOf(folder, COSTS_TOLD)))
tests.compose(new spec()).pipe(process.stdout)
