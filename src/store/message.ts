/** What the store's threads say to each other: plain data that survives a structured clone. */
import type { JobResult, Run } from './batch.ts'
import type { FailureData } from './failure.ts'

/** What a thread of the store is started with. */
export interface ThreadData {
  readonly path: string
  /** The rooms' modules of readers and writers, as URLs. */
  readonly modules: readonly string[]
  readonly maxPages?: number
}

/** Behind its start each thread says once whether it is ready. */
export type Started =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly failure: FailureData }

export type ToCommitter =
  | {
      readonly kind: 'batch'
      readonly now: number
      readonly runs: readonly Run<string>[]
      /** Buffers that have changed hands with it. */
      readonly moved: readonly ArrayBuffer[]
    }
  | { readonly kind: 'close' }

export type FromCommitter =
  | Started
  /** All were tried and the transaction is durable. */
  | {
      readonly kind: 'results'
      readonly results: readonly JobResult[]
      /** Buffers that come back, to be used again. */
      readonly moved: readonly ArrayBuffer[]
    }
  /** The transaction failed: nothing of the batch is stored. */
  | { readonly kind: 'rolledBack'; readonly failure: FailureData }

export type ToReader =
  | {
      readonly kind: 'read'
      readonly reader: string
      readonly input: unknown
      readonly now: number
    }
  | { readonly kind: 'copy'; readonly to: string }
  | { readonly kind: 'close' }

export type FromReader = Started | { readonly kind: 'result'; readonly result: JobResult }
