/**
 * Staged bodies as a port: a message too large for the accept transaction is written here while it
 * arrives, under a name that nothing references until a transaction names it.
 */
export interface Disk {
  /** Opens a new, unreferenced body for writing. */
  stage(): Promise<StagedBody>
  /** The octets [from, to) of a sealed body, in chunks of at most 256 KB; throws if it is missing. */
  read(name: string, from: number, to: number): AsyncIterable<Uint8Array>
  /** Removes a body; one that is not there is no error. */
  remove(name: string): Promise<void>
  /** All names present with their sizes and the time of their last change (ms since the epoch). */
  list(): AsyncIterable<{
    readonly name: string
    readonly sizeOctets: number
    readonly changedAt: number
  }>
}

export interface StagedBody {
  readonly name: string
  /** Appends octets (which it may keep until the promise settles). At most two calls unsettled. */
  write(octets: Uint8Array): Promise<void>
  /** Makes the content and the name durable (fdatasync and directory fsync). No write may follow. */
  seal(): Promise<void>
  /** Gives the body up and removes it. Safe at any time before `seal` has resolved. */
  abort(): Promise<void>
}

/** The disk is full, or over a quota: answered 452 4.3.1 (RFC 5321 §4.2.3). */
export class DiskFull extends Error {}
