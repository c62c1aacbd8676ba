/**
 * Content on its way out: DATA's dot-stuffed stream or BDAT's counted octets, watched so that the
 * session knows whether the end of the message can have left. Called by transaction.ts.
 */
import type { Transform } from '../../wire/effect.ts'

/** What the transaction learns while its content is pulled. */
export interface ContentWatch {
  /** Octets have left. */
  moved(): void
  /** What ends the message leaves next: from here on its outcome is the hop's to tell. */
  ending(): void
}

/** The given transform, watched. */
export function watched(transform: Transform, watch: ContentWatch): Transform {
  return {
    push(octets) {
      watch.moved()
      return transform.push(octets)
    },
    end() {
      const rest = transform.end()
      watch.ending()
      return rest
    },
  }
}

const nothing = new Uint8Array(0)

/**
 * Exactly `sizeOctets` octets, as BDAT has announced them (RFC 3030 §2). A source that yields more
 * or less must not become a message: octets are then held back, and the hop never sees its end.
 */
export function counted(sizeOctets: number, watch: ContentWatch, differs: () => void): Transform {
  let left = sizeOctets
  return {
    push(octets) {
      watch.moved()
      if (octets.length > left) {
        left = Number.NaN
        return nothing
      }
      left -= octets.length
      // With its last octet the message is complete, whether or not the source has ended.
      if (left === 0) watch.ending()
      return Number.isNaN(left) ? nothing : octets
    },
    end() {
      if (sizeOctets === 0) watch.ending()
      else if (left !== 0) differs()
      return nothing
    },
  }
}
