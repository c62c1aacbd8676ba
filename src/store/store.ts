/**
 * The store's face to every room: named readers and writers, run where the store thinks best.
 *
 * A writer is a named function of a transaction and a cloneable input. The committer runs many of
 * them in one transaction (group commit), in a worker thread or, in the simulation, inline.
 * Every call is asynchronous for its caller. RFC 5321 §6.1 hangs on this: `write` resolves only
 * once the transaction is durable.
 */
import type { Read, Write } from '../world/sql.ts'

export interface Reader<Input, Output> {
  readonly kind: 'reader'
  readonly name: string
  /**
   * 'near' reads a few rows by key; 'far' may read many and runs on a reader thread; 'aside' takes so long
   * that nobody should wait behind it, and has a thread of its own.
   */
  readonly reach: 'near' | 'far' | 'aside'
  readonly run: (tx: Read, input: Input) => Promise<Output>
}

export interface Writer<Input, Output> {
  readonly kind: 'writer'
  readonly name: string
  /** Runs all inputs of a batch at once; must give one output per input, in order. */
  readonly run: (tx: Write, inputs: readonly Input[]) => Promise<readonly Output[]>
  readonly crossing?: Crossing<Input>
  /** How many rows an input works on, where that is a peer's choice: those of many have a batch to themselves. */
  readonly rows?: (input: Input) => number
}

/**
 * How an input crosses to a thread, for a writer that is called for every message: a clone of text and numbers in one
 * array costs a quarter of one of objects and octets.
 */
export interface Crossing<Input> {
  /** Copies what it packs: octets that were lent are free behind it. */
  readonly pack: (input: Input) => unknown
  readonly unpack: (packed: unknown) => Input
}

/** A reader of a few rows by key. */
export function reader<Input, Output>(
  name: string,
  run: (tx: Read, input: Input) => Promise<Output>,
): Reader<Input, Output> {
  return { kind: 'reader', name, reach: 'near', run }
}

/** A reader that may touch over 100 rows or many bodies. */
export function farReader<Input, Output>(
  name: string,
  run: (tx: Read, input: Input) => Promise<Output>,
): Reader<Input, Output> {
  return { kind: 'reader', name, reach: 'far', run }
}

/** A reader of the whole database. */
export function asideReader<Input, Output>(
  name: string,
  run: (tx: Read, input: Input) => Promise<Output>,
): Reader<Input, Output> {
  return { kind: 'reader', name, reach: 'aside', run }
}

/** A writer of one item. */
export function writer<Input, Output>(
  name: string,
  run: (tx: Write, input: Input) => Promise<Output>,
  rows?: (input: Input) => number,
): Writer<Input, Output> {
  return {
    kind: 'writer',
    name,
    ...(rows && { rows }),
    run: async (tx, inputs) => {
      const outputs: Output[] = []
      for (const input of inputs) outputs.push(await run(tx, input))
      return outputs
    },
  }
}

/** A writer that takes all its inputs of a batch at once: for the hot paths. */
export function manyWriter<Input, Output>(
  name: string,
  run: (tx: Write, inputs: readonly Input[]) => Promise<readonly Output[]>,
  crossing?: Crossing<Input>,
): Writer<Input, Output> {
  return { kind: 'writer', name, run, ...(crossing && { crossing }) }
}

export interface Store {
  read<Input, Output>(reader: Reader<Input, Output>, input: Input): Promise<Output>
  /**
   * Resolves with the writer's output once its transaction is durable. One bad input never fails
   * its neighbours in the batch. Rejects with `StoreError`, or with what the writer threw.
   * Octets are copied on their way; buffers named in `moved` change hands instead (worth it from some
   * 16 KB on) and are empty for the caller from then on; those of wire/chunks.ts go back there.
   */
  write<Input, Output>(
    writer: Writer<Input, Output>,
    input: Input,
    moved?: readonly ArrayBuffer[],
  ): Promise<Output>
  /** Whether no other process writes here: whoever held a lease before us is dead. */
  readonly alone: boolean
  /** A number below 128 that no other node at work on this store has: keys made with it never meet. */
  slot(): number
  /**
   * Tells every listener of every node, this one too, that something happened under this topic (one line
   * of text). Called behind the write that made it so; gathered, and never waited for. It may be lost:
   * who listens must poll as well.
   */
  wake(topic: string): void
  /** Listens to all topics, and to `everything`; the function it gives ends that. */
  onWake(listen: (topic: string) => void): () => void
  /** What was committed since the store was opened: how well commits are shared. */
  stats(): StoreStats
  close(): Promise<void>
}

/** The topic a listener hears where wake-ups may have been missed: it stands for all of them. */
export const everything = '*'

export interface StoreStats {
  /** Transactions that became durable. */
  readonly commits: number
  /** Writes that they held; those that failed alone are among them. */
  readonly jobs: number
}

/** Why the store could not do what was asked. */
export class StoreError extends Error {
  /** full: no room (answer 452 4.3.1). busy: try again. closed: shutting down. broken: the file or server is at fault. conflict: a constraint of the schema. */
  readonly reason: 'full' | 'busy' | 'closed' | 'broken' | 'conflict'
  constructor(reason: StoreError['reason'], message: string) {
    super(message)
    this.reason = reason
  }
}
