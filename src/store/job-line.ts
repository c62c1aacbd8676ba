/**
 * What waits for the committer (committer.ts), and what of it makes the next batch. Jobs go in the order in which they
 * came, but for long ones: a peer may name ten thousand messages in one COPY, and whoever is to be answered by the same
 * transaction waits for all of them. So each of those has a batch to itself, and while others wait too,
 * short and long ones take turns: nobody waits for more than one long job that came with him.
 */
import { sizeInOctets } from './size.ts'

/** A batch's bounds: what is over them waits for the next. */
const BATCH_MAX_JOBS = 4_096
const BATCH_MAX_OCTETS = 16 * 1024 * 1024
/** A body of more than 128 KB does not come this way: so many jobs are below the bound by themselves. */
const UNWEIGHED_MAX_JOBS = 64
/** Some milliseconds of the committer's time. */
const LONG_ROWS = 256

export interface WaitingJob {
  readonly input: unknown
  /** How many rows it works on, where that is a peer's choice. */
  readonly rows: number
}

export class JobLine<Job extends WaitingJob> {
  /** From `#next` on they wait; shifting one by one off a long array would be slow. */
  #short: Job[] = []
  #next = 0
  #long: Job[] = []
  /** A short batch went while a long job waited: it is that one's turn. */
  #owed = false

  get empty(): boolean {
    return this.#next === this.#short.length && this.#long.length === 0
  }

  push(job: Job): void {
    if (job.rows > LONG_ROWS) this.#long.push(job)
    else this.#short.push(job)
  }

  /** The next batch: at least one job, where any waits. */
  take(): Job[] {
    const [long] = this.#long
    if (long !== undefined && (this.#owed || this.#next === this.#short.length)) {
      this.#owed = false
      this.#long.shift()
      return [long]
    }
    this.#owed = long !== undefined
    return this.#takeShort()
  }

  /** All that waits; then nothing does. */
  clear(): Job[] {
    const all = [...this.#short.slice(this.#next), ...this.#long]
    this.#short = []
    this.#next = 0
    this.#long = []
    return all
  }

  #takeShort(): Job[] {
    const from = this.#next
    let octets = 0
    // Few of them are no great weight, and not worth weighing.
    const weighed = this.#short.length - from > UNWEIGHED_MAX_JOBS
    while (this.#next < this.#short.length && this.#next - from < BATCH_MAX_JOBS) {
      if (weighed) octets += sizeInOctets(this.#short[this.#next]?.input)
      if (octets > BATCH_MAX_OCTETS && this.#next > from) break
      this.#next++
    }
    const batch = this.#short.slice(from, this.#next)
    if (this.#next === this.#short.length) {
      this.#short = []
      this.#next = 0
    } else if (this.#next > BATCH_MAX_JOBS) {
      this.#short = this.#short.slice(this.#next)
      this.#next = 0
    }
    return batch
  }
}
