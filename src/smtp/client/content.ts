/**
 * Content on its way out, watched so that the session knows whether the end of the message can have
 * left. Called by transaction.ts; DATA's stream is made here, BDAT's in chunks.ts.
 */
import type { Transform } from '../../wire/effect.ts'

const NOTHING = new Uint8Array(0)

/** What the transaction learns while its content is pulled. */
export interface ContentWatch {
  /** Octets have left. */
  moved(): void
  /** What ends the message leaves next: from here on its outcome is the hop's to tell. */
  ending(): void
  /** Asked before that: true where it must not leave, and the connection is over. */
  withheld(): boolean
}

/** The given transform, watched. */
export function watched(transform: Transform, watch: ContentWatch): Transform {
  return {
    push(octets) {
      watch.moved()
      return transform.push(octets)
    },
    end() {
      if (watch.withheld()) return NOTHING
      const rest = transform.end()
      watch.ending()
      return rest
    },
  }
}
