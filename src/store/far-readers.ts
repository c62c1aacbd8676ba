/**
 * The reader thread's side on the main thread: far readers wait here and go over one at a time. The
 * thread starts at the first need, ends when it has had nothing to do for a while (it holds some 15 MB),
 * and starts again at the next need, or after it has died. Called by open.ts and backup.ts.
 */
import type { Timer } from '../world/clock.ts'
import { nodeClock } from '../world/node/clock.ts'
import { startThread, type Thread } from '../world/node/thread.ts'
import { failureOf, storeFailure } from './failure.ts'
import type { FromReader, ThreadData, ToReader } from './message.ts'
import { StoreError } from './store.ts'

const LINGER_MS = 3_000

interface Call {
  readonly message: ToReader
  readonly resolve: (output: unknown) => void
  readonly reject: (error: Error) => void
}

export class FarReaders {
  readonly #data: ThreadData
  readonly #waiting: Call[] = []
  #thread: Thread | undefined
  #ready = false
  #current: Call | undefined
  #closing: PromiseWithResolvers<void> | undefined
  #linger: Timer | undefined

  constructor(data: ThreadData) {
    this.#data = data
  }

  /** Sends what the thread is to do; resolves with its output. */
  call(message: ToReader): Promise<unknown> {
    if (this.#closing !== undefined) {
      return Promise.reject(new StoreError('closed', 'the store is closed'))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, resolve, reject })
      this.#next()
    })
  }

  /** Answers what waits, then ends the thread. */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = Promise.withResolvers<void>()
      this.#next()
    }
    return this.#closing.promise
  }

  #next(): void {
    if (this.#current !== undefined) return
    const call = this.#waiting[0]
    this.#linger?.cancel()
    if (call === undefined) {
      if (this.#closing !== undefined) this.#endThread()
      else if (this.#ready) this.#linger = nodeClock.after(LINGER_MS, () => this.#endThread())
      return
    }
    if (this.#thread === undefined) this.#start()
    if (!this.#ready) return
    this.#waiting.shift()
    this.#current = call
    this.#thread?.awaited(true)
    try {
      this.#thread?.post(call.message)
    } catch (error) {
      this.#current = undefined
      call.reject(storeFailure(error))
      this.#next()
    }
  }

  #start(): void {
    this.#ready = false
    const module = new URL('./reader-worker.ts', import.meta.url)
    this.#thread = startThread(module, this.#data, {
      message: message => this.#heard(message as FromReader),
      ended: error => this.#ended(error),
    })
  }

  #heard(message: FromReader): void {
    switch (message.kind) {
      case 'ready':
        this.#ready = true
        this.#thread?.awaited(false)
        break
      case 'failed':
        for (const call of this.#waiting.splice(0)) call.reject(failureOf(message.failure))
        break
      case 'result': {
        const call = this.#current
        this.#current = undefined
        this.#thread?.awaited(false)
        if (message.result.done) call?.resolve(message.result.output)
        else call?.reject(failureOf(message.result.failure))
        break
      }
    }
    this.#next()
  }

  #endThread(): void {
    if (this.#thread === undefined) this.#closing?.resolve()
    else if (this.#ready) {
      // What comes from now on waits for the next thread.
      this.#ready = false
      this.#thread.awaited(true)
      this.#thread.post({ kind: 'close' } satisfies ToReader)
    }
  }

  #ended(error?: Error): void {
    const call = this.#current
    this.#current = undefined
    this.#thread = undefined
    this.#ready = false
    call?.reject(
      new StoreError('broken', `the reader's thread ended: ${error?.message ?? 'closed'}`),
    )
    // A thread that cannot even start would be started for ever.
    if (error !== undefined && call === undefined) {
      for (const waiting of this.#waiting.splice(0)) waiting.reject(storeFailure(error))
    }
    this.#next()
  }
}
