/**
 * Where bodies are kept, by the settings: one disk over a directory, the database and object storage.
 * New ones go where `bodies.in` says; those of other days are read where they are. Called by folder.ts.
 */
import { chunkDisk } from '../store/chunk-disk.ts'
import { sharedDisk } from '../store/shared-disk.ts'
import type { Store } from '../store/store.ts'
import type { Disk } from '../world/disk.ts'
import { type Place, placedDisk } from '../world/disk-places.ts'
import { objectDisk } from '../world/node/object-disk.ts'
import { verifiedDisk } from '../world/verified-disk.ts'
import type { World } from '../world/world.ts'
import type { Settings } from './settings.ts'

/** @param world its disk is the directory of bodies */
export function bodyDisk(
  { bodies, database }: Settings,
  { disk, random, clock }: World,
  store: Store,
): Disk {
  const into: Place = bodies.in ?? (database === undefined ? 'directory' : 'database')
  const placed = placedDisk(
    {
      directory: verifiedDisk(disk),
      database: verifiedDisk(chunkDisk(store, random)),
      ...(bodies.s3 ? { s3: verifiedDisk(objectDisk(bodies.s3)) } : {}),
    },
    into,
  )
  // One process and its own files: who reads one keeps it open, so that it may go at once.
  const alone = database === undefined && into === 'directory'
  return alone ? placed : sharedDisk(placed, store, clock, bodies.grace)
}
