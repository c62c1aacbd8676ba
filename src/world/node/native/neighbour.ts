/**
 * A helper process of ours for C libraries: asked and heard by Node's own channel between processes. Whatever
 * happens in it (a crash, a lock that is never given back, a hostile token) is at worst a question that is not
 * answered in time; the next one starts it anew. Started with the first question; it ends with the server.
 */
import { type ChildProcess, fork } from 'node:child_process'

/** No more wait at once: who asks behind them is told so. */
const WAITING_MAX = 1024
/** Once one question has waited this long beyond its time, the process is given up. */
const STUCK_MS = 15_000
/** What it needs of our environment; secrets of ours are none of its business. */
const ENVIRONMENT = [
  ...['PATH', 'HOME', 'LANG', 'TZ', 'NODE_COMPILE_CACHE', 'SystemRoot', 'LD_LIBRARY_PATH'],
  ...['KRB5_CONFIG', 'KRB5_TRACE', 'KRB5RCACHENAME', 'KRB5CCNAME', 'KRB5_CLIENT_KTNAME'],
]

interface Waiting {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

/** What passes between the two. */
export interface Asked {
  readonly id: number
  readonly question: unknown
}

export type Told =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: string }

export class Neighbour {
  readonly #module: URL
  readonly #waiting = new Map<number, Waiting>()
  #child: ChildProcess | undefined
  #nextId = 1
  /** Runs while a question is long overdue and nothing else was heard. */
  #stuck: NodeJS.Timeout | undefined

  constructor(module: URL) {
    this.#module = module
  }

  /** Rejects where no answer came in time, or the process has ended before. */
  ask(question: unknown, timeoutMs: number): Promise<unknown> {
    if (this.#waiting.size >= WAITING_MAX) return Promise.reject(new Error('too many at once'))
    return new Promise((resolve, reject) => {
      const child = this.#running()
      const id = this.#nextId++
      const timer = setTimeout(() => {
        this.#settle(id)?.reject(new Error(`no answer within ${timeoutMs} ms`))
        // What is stuck in a library cannot be called off; but it can be left.
        this.#stuck ??= setTimeout(() => child.kill('SIGKILL'), STUCK_MS).unref()
      }, timeoutMs)
      this.#waiting.set(id, { resolve, reject, timer })
      child.channel?.ref()
      child.send({ id, question } satisfies Asked)
    })
  }

  /** Says something that is not answered; to nobody where the process is not there. */
  tell(question: unknown): void {
    const child = this.#child
    if (child?.connected === true) child.send({ id: 0, question } satisfies Asked)
  }

  /** Ends it; a later question starts it again. */
  end(): void {
    this.#child?.kill('SIGKILL')
  }

  #running(): ChildProcess {
    if (this.#child !== undefined) return this.#child
    const kept = ENVIRONMENT.filter(name => process.env[name] !== undefined)
    const child = fork(this.#module, {
      // Octets cross as they are (structured clone), not as JSON.
      serialization: 'advanced',
      execArgv: [],
      env: Object.fromEntries(kept.map(name => [name, process.env[name]])),
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    const gone = (why: string) => {
      if (this.#child !== child) return
      this.#child = undefined
      this.#moves()
      for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(new Error(why))
    }
    child.on('message', message => this.#heard(message as Told))
    child.on('error', error => gone(error.message))
    child.on('exit', (code, signal) => gone(`the helper process has ended (${signal ?? code})`))
    // It keeps nobody alive but who waits for its answer.
    child.unref()
    child.channel?.unref()
    this.#child = child
    return child
  }

  #moves(): void {
    clearTimeout(this.#stuck)
    this.#stuck = undefined
  }

  #heard(told: Told): void {
    this.#moves()
    const waiting = this.#settle(told.id)
    if ('error' in told) waiting?.reject(new Error(told.error))
    else waiting?.resolve(told.answer)
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return undefined
    clearTimeout(waiting.timer)
    this.#waiting.delete(id)
    if (this.#waiting.size === 0) this.#child?.channel?.unref()
    return waiting
  }
}

/** The inside: answers questions until the server is gone. A rejection is told as what it says. */
export function serve(answer: (question: unknown) => Promise<unknown>): void {
  // A ^C at the terminal is meant for the server, which ends us.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  process.on('disconnect', () => process.exit(0))
  const told = async ({ id, question }: Asked): Promise<Told> => {
    try {
      return { id, answer: await answer(question) }
    } catch (error) {
      return { id, error: error instanceof Error ? error.message : String(error) }
    }
  }
  process.on('message', message => {
    const asked = message as Asked
    void told(asked).then(said => {
      if (asked.id !== 0 && process.connected) process.send?.(said)
    })
  })
}
