/**
 * Makes a storm that fails smaller: leaves out whole parts as long as it still fails by one of the same rules,
 * the half of them first, then smaller and smaller heaps, then each alone. What is left is a command.
 */
import { planStorm, type StormOptions } from './storm-plan.ts'

/** A storm takes a second or so: what is not small by then stays as it is. */
const TRIES_MAX = 80

/** The names that can be left out, so that it still fails. */
export async function minimise(
  options: StormOptions,
  fails: (options: StormOptions) => Promise<boolean>,
  tell: (line: string) => void = () => {},
): Promise<ReadonlySet<string>> {
  let without = options.without ?? new Set<string>()
  let tries = 0
  const names = () => planStorm({ ...options, without }).names
  let size = Math.ceil(names().length / 2)
  for (;;) {
    const left = names()
    let smaller = false
    for (let from = 0; from < left.length && tries < TRIES_MAX; from += size) {
      const heap = left.slice(from, from + size).filter(name => !without.has(name))
      if (heap.length === 0) continue
      const attempt = new Set([...without, ...heap])
      tries++
      if (!(await fails({ ...options, without: attempt }))) continue
      without = attempt
      smaller = true
      tell(`${names().length} parts still fail`)
    }
    if (tries >= TRIES_MAX) return without
    if (size > 1) size = Math.ceil(size / 2)
    else if (!smaller) return without
  }
}
