/**
 * A disk that several nodes read: a body that one of them lets go may still be on its way to a reader of
 * another, so it is only marked here and goes with a later sweep (garbage.ts). Implements world/disk.ts
 * over one of them; made by server/bodies.ts.
 */
import type { Clock } from '../world/clock.ts'
import { type Disk, DiskUnavailable, type StagedBody } from '../world/disk.ts'
import { stemOf } from '../world/sealed-name.ts'
import { markGarbage } from './garbage.ts'
import type { Store } from './store.ts'

export function sharedDisk(disk: Disk, store: Store, clock: Clock, graceMs: number): Disk {
  return {
    ...disk,
    async stage() {
      const sealBy = clock.monotonic() + graceMs * 0.75
      return sealedInTime(await disk.stage(), () => clock.monotonic() < sealBy)
    },
    remove: name => store.write(markGarbage, stemOf(name)),
    shared: { graceMs, purge: name => disk.remove(name) },
  }
}

/** A body that took too long is given up: a sweep may be about to take it away. */
function sealedInTime(body: StagedBody, inTime: () => boolean): StagedBody {
  return {
    get name() {
      return body.name
    },
    write: octets => body.write(octets),
    async seal() {
      if (!inTime()) throw new DiskUnavailable('a body took too long to arrive')
      await body.seal()
      if (!inTime()) throw new DiskUnavailable('a body took too long to be sealed')
    },
    abort: () => body.abort(),
  }
}
