/** What comes of what a hop (hop.ts) is given: a message, an errand, a probe. Types only. */
import type { Outcome } from '../mail/outcome.ts'
import type { Reply } from '../mail/status.ts'
import type { Carry, Trouble } from '../smtp/client/question.ts'

/** What came of one message on one connection. */
export type HopCarried =
  | {
      readonly kind: 'carried'
      readonly outcomes: readonly Outcome[]
      readonly dialogue?: string
      /** Set where the connection ended with it. */
      readonly trouble?: Trouble
    }
  /** The connection was gone before the message was begun: it may go by another at once. */
  | { readonly kind: 'untouched'; readonly trouble: Trouble; readonly dialogue: string }

/** A message that begins behind the one before, and who hears what came of it. */
export interface Following {
  readonly work: Carry
  readonly carried: (carried: HopCarried) => void
}

/** What came of an errand. */
export type ErrandAnswer =
  | { readonly kind: 'answered'; readonly reply: Reply; readonly exchanged: boolean }
  | { readonly kind: 'trouble'; readonly trouble: Trouble }

/** What came of a probe. */
export type ProbeAnswer =
  | { readonly kind: 'probed'; readonly mail: Reply; readonly recipients: readonly Reply[] }
  | { readonly kind: 'trouble'; readonly trouble: Trouble }
