/**
 * Programs of the machine as a port: one is run with fixed arguments and a fixed environment, never by a
 * shell, is given some octets, and ends within a time. Asked by transport/pipe.ts.
 */
import type { Source } from '../wire/effect.ts'

export interface Run {
  /** The program (an absolute path) and its arguments, as they are. */
  readonly argv: readonly string[]
  /** All of it: nothing of ours is handed down. */
  readonly environment: Readonly<Record<string, string>>
  readonly folder: string
  /** Whom it runs as, where we are root; else it runs as we do. */
  readonly user?: string
  readonly timeoutMs: number
  /** Octets of its output (standard output and standard error) that are kept; the rest is read and forgotten. */
  readonly outputMax: number
}

export type Ended =
  | { readonly kind: 'exit'; readonly code: number; readonly output: string }
  /** Ended by a signal that we did not send. */
  | { readonly kind: 'signal'; readonly signal: string; readonly output: string }
  /** It took too long, and was ended with all that it had started. */
  | { readonly kind: 'timeout'; readonly output: string }
  /** It was not started at all. */
  | { readonly kind: 'unstarted'; readonly reason: string }

export interface Programs {
  /**
   * Runs a program and gives it the octets, as fast as it takes them; one that does not want them all is no
   * error. Rejects only where the source does, and has ended the program then.
   */
  run(run: Run, input: Source): Promise<Ended>
  /** Ends all that still run, with what they have started: this process is about to end. */
  endAll(): void
}
