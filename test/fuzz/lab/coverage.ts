/**
 * What an input reached that no other did: V8's own count of the blocks of our sources that ran, asked over the
 * inspector of this process. Asking costs some ms, so it is done once for a group of inputs, and for each
 * of them only where the group reached something new.
 */
import { type Profiler, Session } from 'node:inspector'

let session: Session | undefined

/** One for all: what was compiled before the first is counted by functions, not by blocks. */
function profiler(): Session {
  if (session !== undefined) return session
  session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  return session
}

export class Coverage {
  readonly #known = new Set<string>()
  /** What the last look found. */
  #last: string[] = []

  /** How many blocks were ever reached. */
  get size(): number {
    return this.#known.size
  }

  /** Whether what ran since the last call reached a block, or a count of runs, that is new. */
  reached(): boolean {
    const found: string[] = []
    for (const { url, functions } of taken()) {
      if (!url.includes('/src/')) continue
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          const block = `${url} ${startOffset} ${endOffset} ${sizeOf(count)}`
          if (count > 0 && !this.#known.has(block)) found.push(block)
        }
      }
    }
    for (const block of found) this.#known.add(block)
    this.#last = found
    return found.length > 0
  }

  /** Takes back what the last look found: to be found again by fewer inputs. */
  forget(): void {
    for (const block of this.#last) this.#known.delete(block)
    this.#last = []
  }
}

/** The inspector of one's own thread answers before it returns. */
function taken(): readonly Profiler.ScriptCoverage[] {
  let all: readonly Profiler.ScriptCoverage[] = []
  profiler().post('Profiler.takePreciseCoverage', (error, { result }) => {
    if (error === null) all = result
  })
  return all
}

/** Once, a few times, often: a loop that ran thrice is nothing new. */
function sizeOf(count: number): number {
  return count === 1 ? 1 : count < 8 ? 2 : count < 128 ? 3 : 4
}
