/**
 * Staged bodies as a port: a message too large for the accept transaction is written here while it
 * arrives, under a name that nothing references until a transaction names it. Where they are kept (a
 * directory, the database, object storage) is no business of who writes or reads.
 */
export interface Disk {
  /** Opens a new, unreferenced body for writing. */
  stage(): Promise<StagedBody>
  /** The octets [from, to) of a sealed body, in chunks of at most 256 KB; throws if it is missing. */
  read(name: string, from: number, to: number): AsyncIterable<Uint8Array>
  /**
   * Nothing names the body any more. It is removed, at once or, where other nodes may still read it, by
   * a later sweep; one that is not there is no error.
   */
  remove(name: string): Promise<void>
  /** The stems of all names present, with their stored sizes and the time of their last change (ms since the epoch). */
  list(): AsyncIterable<StoredBody>
  /** Present where other nodes read the same bodies: what the sweep goes by (src/store/garbage.ts). */
  readonly shared?: SharedDisk
  /** Rejects where bodies can be neither written nor read at the moment; absent where that cannot be. */
  probe?(): Promise<void>
  /**
   * From now on nothing goes, until the function it gives is called; that removes what was to go and
   * rejects where one of them could not be. Absent where nobody makes backups.
   */
  hold?(): () => Promise<void>
  /** Octets that what is ours may still grow by; absent where nobody knows. At once where it was looked at just now. */
  freeOctets?(): number | Promise<number>
}

export interface SharedDisk {
  /** How long a body stays once nothing names it, by the database's clock. */
  readonly graceMs: number
  /** Removes a body now, whoever reads it. */
  purge(name: string): Promise<void>
}

export interface StoredBody {
  /** What stands before the first dot of a name. */
  readonly name: string
  /** As it is stored: `storedOctets` of the body (sealed-name.ts). */
  readonly sizeOctets: number
  readonly changedAt: number
  /**
   * Set where this very life staged it: since how long nothing was written, by a clock that does not jump. Its row
   * may still be on its way, whatever the time of its last change says.
   */
  readonly restsMs?: number
}

export interface StagedBody {
  /** Complete once `seal` has resolved: before, what was written has no hash, and nobody can read it. */
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

/** Bodies cannot be reached for now: the store they are in is down, slow or refuses us. Nothing is lost. */
export class DiskUnavailable extends Error {}

/** A body is not what was sealed under its name: octets are missing or others. Never handed out. */
export class DiskDamaged extends Error {}
