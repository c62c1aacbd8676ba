/**
 * The thread that a config's functions live in, as a port, and the words that pass to and from it.
 * world/node/config-thread.ts is the real one; hook/hooks.ts asks through it and watches its time.
 */
/** To the thread. */
export type Asked = {
  readonly kind: 'ask'
  readonly id: number
  /** The hook's name. */
  readonly name: string
  readonly facts: unknown
}

/** From the thread. */
export type Told =
  /** The config was loaded: its data part without functions, the names of its hooks, and of those that are no functions. */
  | {
      readonly kind: 'loaded'
      readonly data: unknown
      readonly hooks: readonly string[]
      readonly wrong: readonly string[]
    }
  /** The config could not be loaded. */
  | { readonly kind: 'broken'; readonly reason: string }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'threw'; readonly id: number; readonly reason: string }
  /** A line that the config printed. */
  | { readonly kind: 'said'; readonly text: string }

export interface ThreadEvents {
  told(message: Told): void
  /** The thread is gone, wanted or not; called exactly once and last. */
  exited(reason: string): void
}

export interface Thread {
  ask(question: Asked): void
  /** Ends the thread, in the middle of an endless loop too. */
  terminate(): void
}

/** Starts a thread that loads the config at once. */
export type OpenThread = (events: ThreadEvents) => Thread
