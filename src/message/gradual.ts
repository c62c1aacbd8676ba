/**
 * Work on many things in small steps: a generator that yields between them, so that who runs it can let others have
 * their turn (world/breath.ts), or finish it at once. Pure.
 */
export type Gradual<T> = Generator<undefined, T, undefined>

/** So many things take well under a millisecond each time. */
const STEP = 256

/** Each of many, with a step now and then. */
export function* gradually<T>(items: Iterable<T>, work: (item: T) => void): Gradual<void> {
  let left = STEP
  for (const item of items) {
    if (--left === 0) {
      left = STEP
      yield
    }
    work(item)
  }
}

/** In order; what is equal stays as it stood. Runs of a few are sorted as ever, then merged. */
export function* sorted<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
): Gradual<readonly T[]> {
  let runs: T[][] = []
  for (let at = 0; at < items.length; at += STEP) {
    runs.push(items.slice(at, at + STEP).sort(compare))
    yield
  }
  while (runs.length > 1) {
    const merged: T[][] = []
    for (let n = 0; n < runs.length; n += 2) {
      merged.push(yield* merge(runs[n] as T[], runs[n + 1] ?? [], compare))
    }
    runs = merged
  }
  return runs[0] ?? []
}

function* merge<T>(
  left: readonly T[],
  right: readonly T[],
  compare: (a: T, b: T) => number,
): Gradual<T[]> {
  const both: T[] = []
  let [l, r] = [0, 0]
  while (l < left.length || r < right.length) {
    const first =
      r === right.length || (l < left.length && compare(left[l] as T, right[r] as T) <= 0)
    both.push((first ? left[l++] : right[r++]) as T)
    if (both.length % STEP === 0) yield
  }
  return both
}

/** All steps at once. */
export function finished<T>(work: Gradual<T>): T {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}
