/**
 * `npm run interop`: our server against other people's software. Installs what is missing from the
 * distribution's packages where that can be done (root and apt), then runs every `*.interop.ts`
 * with node's own runner. What cannot be had is said plainly and skipped. Needs no standard input.
 */
import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newRun } from '../kit/once.ts'
import { EXIM_USER } from './exim.ts'
import { missing, PROGRAMS, UNPACKED } from './program.ts'

const here = fileURLToPath(new URL('.', import.meta.url))

/** Quiet, and without starting what was installed: an MTA on port 25 is not wanted here. */
function apt(...args: string[]): string | undefined {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const { status, stderr, error } = spawnSync('apt-get', ['-q', ...args], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 180_000,
  })
  if (status === 0) return undefined
  return error?.message ?? stderr.trim().split('\n').at(-1) ?? `apt-get ended with ${status}`
}

/** Unpacks a package whose installation would drive another out, and does what its scripts would. */
function unpack(name: string): void {
  const program = Object.values(PROGRAMS).find(one => one.package === name)
  const libraries = program && 'unpacked' in program ? program.unpacked : []
  const failed = apt('install', '-y', '--no-install-recommends', ...libraries)
  mkdirSync(UNPACKED, { recursive: true })
  const inside = { cwd: UNPACKED, stdio: 'ignore' as const, timeout: 180_000 }
  spawnSync('apt-get', ['-q', 'download', name], inside)
  for (const file of globSync(`${name}_*.deb`, { cwd: UNPACKED })) {
    spawnSync('dpkg', ['-x', file, '.'], inside)
  }
  spawnSync('useradd', ['--system', '--no-create-home', EXIM_USER], inside)
  if (failed !== undefined) console.log(`# ${name}: ${failed}`)
}

function install(): void {
  const wanted = missing()
  if (wanted.length === 0) return
  const beside = wanted.filter(name => 'unpacked' in PROGRAMS[name])
  const packages = [
    ...new Set(wanted.filter(name => !beside.includes(name)).map(name => PROGRAMS[name].package)),
  ]
  if (process.getuid?.() !== 0) {
    console.log(`# not installed, for want of root: ${packages.join(' ')}`)
    return
  }
  console.log(`# installing ${packages.join(' ')}`)
  apt('update')
  for (const name of beside) unpack(PROGRAMS[name].package)
  if (packages.length === 0) return
  // One by one after a failure: what one distribution lacks must not cost the others.
  if (apt('install', '-y', '--no-install-recommends', ...packages) === undefined) return
  for (const name of packages) {
    const reason = apt('install', '-y', '--no-install-recommends', name)
    if (reason !== undefined) console.log(`# ${name} could not be installed: ${reason}`)
  }
}

install()
for (const name of missing()) console.log(`# SKIPPED, not installed: what needs ${name}`)

const words = process.argv.slice(2)
const files = globSync('*.interop.ts', { cwd: here })
  .sort()
  .filter(file => words.length === 0 || words.some(word => file.includes(word)))
  .map(file => join(here, file))
if (files.length === 0) {
  console.log('# no interop file matches')
  process.exit(1)
}
const { status, signal, error } = spawnSync(
  process.execPath,
  // Half of the time is waiting for other people's programs. What a test that failed has left running holds nobody up.
  [...['--test', '--test-concurrency=3', '--test-timeout=120000', '--test-force-exit'], ...files],
  {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, POSTRIDER_TEST_RUN: newRun() },
  },
)
if (error || signal) console.log(`# interop: ${error?.message ?? signal}`)
process.exit(status ?? 1)
