/**
 * What a process of the tests and all that it has started took of the machine, for test/run.ts to tell at the end.
 * CPU is what counts where several run at once; Linux alone tells that of children.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { isMainThread } from 'node:worker_threads'

/** What the clock of /proc/PID/stat counts a second: fixed for all programs (USER_HZ). */
const TICKS = 100
/** Which of its fields, behind the name, are utime to cstime (proc(5)). */
const CPU_FIELDS = [11, 12, 13, 14]

interface Cost {
  readonly file: string
  readonly cpuS: number
  readonly wallS: number
}

/** Leaves what this process took in the folder of the run, when it ends. */
export function leaveCost(folder: string | undefined): void {
  if (!isMainThread || folder === undefined || process.platform !== 'linux') return
  process.once('exit', () => {
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    const ticks = CPU_FIELDS.reduce((sum, field) => sum + Number(fields[field]), 0)
    const file = relative(process.cwd(), process.argv[1] ?? '')
    const cost: Cost = { file, cpuS: ticks / TICKS, wallS: performance.now() / 1000 }
    writeFileSync(join(folder, `cost-${process.pid}.json`), JSON.stringify(cost))
  })
}

/** A line for all, and one for each of the dearest. */
export function costsOf(folder: string, lines: number): string {
  const all = readdirSync(folder)
    .filter(name => name.startsWith('cost-'))
    .map(name => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Cost)
    .filter(({ file }) => file.endsWith('.ts'))
    .sort((one, other) => other.cpuS - one.cpuS)
  const cpuS = all.reduce((sum, cost) => sum + cost.cpuS, 0)
  const told = all
    .slice(0, lines)
    .map(
      cost =>
        `#  ${cost.cpuS.toFixed(1).padStart(6)} ${cost.wallS.toFixed(1).padStart(6)}  ${cost.file}`,
    )
  return [
    `# ${cpuS.toFixed(0)} s of CPU; the dearest files, by CPU and by the clock:`,
    ...told,
  ].join('\n')
}
