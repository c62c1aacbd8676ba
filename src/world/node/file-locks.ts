/**
 * Locks of fcntl(2) on files, by a helper process (native/lock-main.ts) and the optional package koffi; where that
 * is not installed there are none. The process ends when nothing was locked for a minute. Part of files.ts.
 */
import { FileError, type FileLock } from '../files.ts'
import type { Answer, Question } from './native/lock-main.ts'
import { Neighbour } from './native/neighbour.ts'

const ANSWER_MS = 10_000
const IDLE_MS = 60_000

const neighbour = new Neighbour(new URL('./native/lock-main.ts', import.meta.url))
/** The package is not here: not asked for again in this life. */
let missing = false
let locks = 0
let idle: NodeJS.Timeout | undefined

export async function lockFile(
  path: string,
  make: boolean,
): Promise<FileLock | 'taken' | 'unable'> {
  if (missing) return 'unable'
  clearTimeout(idle)
  locks += 1
  try {
    const question: Question = { kind: 'lock', path, make }
    const answer = (await neighbour.ask(question, ANSWER_MS)) as Answer
    if (answer?.kind !== 'locked') return left(answer?.kind ?? 'unable')
    const { identity } = answer
    return {
      identity,
      release: async () => {
        const question: Question = { kind: 'release', identity }
        await neighbour.ask(question, ANSWER_MS).catch(() => {})
        left(undefined)
      },
    }
  } catch (error) {
    left(undefined)
    const words = error instanceof Error ? error.message : String(error)
    missing = /Cannot find .*koffi/.test(words)
    if (!missing) throw new FileError('ENOLCK', `it could not be locked: ${words}`)
    neighbour.end()
    return 'unable'
  }
}

/** One lock less. */
function left<Result>(result: Result): Result {
  locks -= 1
  if (locks === 0) idle = setTimeout(() => neighbour.end(), IDLE_MS).unref()
  return result
}
