/**
 * A thread of our own program, by node:worker_threads. Called by src/store (and whoever needs one):
 * the one who starts it posts messages and hears them; the module inside asks for its side by `here`.
 * A thread keeps the process alive until it is told that nobody waits for it.
 */
import { parentPort, type Transferable, Worker, workerData } from 'node:worker_threads'

export interface ThreadEvents {
  message(message: unknown): void
  /** The thread is gone: with the error that ended it, or without where it was stopped. Once, last. */
  ended(error?: Error): void
}

export interface Thread {
  /** Posts a clone; the buffers of `moved` change hands instead. Throws if it cannot be cloned. */
  post(message: unknown, moved?: readonly ArrayBuffer[]): void
  /** Whether the process stays alive for it: while an answer is awaited, say. At first it does. */
  awaited(yes: boolean): void
}

/** Starts the module in a thread; `data` is what `here().data` gives it. */
export function startThread(module: URL, data: unknown, events: ThreadEvents): Thread {
  const worker = new Worker(module, { workerData: data })
  let failure: Error | undefined
  worker.on('message', message => events.message(message))
  worker.on('messageerror', error => {
    failure = error
    void worker.terminate()
  })
  worker.on('error', error => {
    failure = error instanceof Error ? error : new Error(String(error))
  })
  worker.on('exit', () => events.ended(failure))
  return {
    post: (message, moved = []) => worker.postMessage(message, moved as Transferable[]),
    awaited: yes => (yes ? worker.ref() : worker.unref()),
  }
}

/** The inside of a thread. */
export interface Here {
  readonly data: unknown
  listen(receive: (message: unknown) => void): void
  /** Posts a clone; the buffers of `moved` change hands instead. */
  post(message: unknown, moved?: readonly ArrayBuffer[]): void
  /** Hears no more; the thread ends when nothing is left to do. */
  end(): void
}

/** This thread, for a module that was started by `startThread`. */
export function here(): Here {
  const port = parentPort
  if (port === null) throw new Error('not in a thread of its own')
  return {
    data: workerData,
    listen: receive => {
      port.on('message', receive)
    },
    post: (message, moved = []) => port.postMessage(message, moved as Transferable[]),
    end: () => port.close(),
  }
}

/** Runs behind what this turn of the event loop still has to read: so that its work gathers. */
export function atEndOfTurn(run: () => void): void {
  setImmediate(run)
}
