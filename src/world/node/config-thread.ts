/**
 * The real thread of a config's functions: a worker with a memory bound, whose prints are gathered
 * and whose end, by whatever cause, is told once. Opened by server/epoch.ts for hook/hooks.ts.
 */
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { OpenThread, Told } from '../config-thread.ts'

const HEAP_MAX_MB = 256

/** Threads for one config file. `face` is the file that `postrider` means inside it. */
export function configThreads(config: string, face: URL): OpenThread {
  return events => {
    const worker = new Worker(new URL('./config-worker.ts', import.meta.url), {
      workerData: { configUrl: pathToFileURL(config).href, faceUrl: face.href },
      name: 'config',
      argv: [],
      // What a config prints must not mix with what the server prints.
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MAX_MB },
    })
    // The thread keeps the process alive only while it owes a word: loading is the first.
    let open = 1
    const settled = () => {
      if (--open === 0) worker.unref()
    }
    let why = 'it ended by itself'
    const say = (octets: Uint8Array) => {
      const text = Buffer.from(octets).toString('utf8').trim().slice(0, 2000)
      if (text !== '') events.told({ kind: 'said', text })
    }
    worker.stdout.on('data', say)
    worker.stderr.on('data', say)
    worker.on('message', (message: Told) => {
      if (message.kind !== 'said') settled()
      events.told(message)
    })
    worker.on('messageerror', error => events.told({ kind: 'said', text: error.message }))
    worker.on('error', error => {
      why = error instanceof Error ? error.message : String(error)
    })
    worker.on('exit', () => events.exited(why))
    return {
      ask(question) {
        if (open++ === 0) worker.ref()
        worker.postMessage(question)
      },
      terminate() {
        void worker.terminate()
      },
    }
  }
}
