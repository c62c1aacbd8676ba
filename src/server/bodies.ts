/**
 * Where bodies are kept, by the settings: one disk over a directory, the database and object storage.
 * New ones go where `bodies.in` says; those of other days are read where they are. Called by folder.ts.
 */
import { chunkDisk } from '../store/chunk-disk.ts'
import { sharedDisk } from '../store/shared-disk.ts'
import type { Store } from '../store/store.ts'
import type { Disk } from '../world/disk.ts'
import { type Place, placedDisk } from '../world/disk-places.ts'
import { heldDisk } from '../world/held-disk.ts'
import { verifiedDisk } from '../world/verified-disk.ts'
import type { World } from '../world/world.ts'
import type { Settings } from './settings/settings.ts'

/**
 * A row's octets are written twice, a file's once, but a file is five calls and two syncs beside the commit: of
 * 100 KB a row takes 1.2 ms of CPU, a file 2.8 where others make and remove files on the same disk.
 */
const INLINE_OCTETS = 131_072

/** Bodies up to so many octets stay in their row. */
export function inlineUpTo(settings: Settings): number {
  return settings.bodies.inlineUpTo ?? INLINE_OCTETS
}

/** Where new bodies go that do not stay in their row. */
function placeOfNew({ bodies, database }: Settings): Place {
  return bodies.in ?? (database === undefined ? 'directory' : 'database')
}

/** @param world its disk is the directory of bodies */
export async function bodyDisk(
  settings: Settings,
  { disk, random, clock }: World,
  store: Store,
): Promise<Disk> {
  const { bodies, database } = settings
  const into = placeOfNew(settings)
  // One process and its own files: who reads one keeps it open, so that it may go at once; and nobody
  // else can have written it, so that it needs no hashes (0.8 ms of CPU a megabyte).
  const alone = database === undefined && into === 'directory'
  const placed = placedDisk(
    {
      directory: verifiedDisk(disk, alone ? 'plain' : 'hashed'),
      database: verifiedDisk(chunkDisk(store, random)),
      ...(bodies.s3 ? { s3: await bucket(bodies.s3) } : {}),
    },
    into,
  )
  const whole = heldDisk(alone ? placed : sharedDisk(placed, store, clock, bodies.grace))
  // Whose database is elsewhere too has no disk of his own that mail could fill.
  const { freeOctets } = disk
  const ours = database === undefined || into === 'directory'
  return ours && freeOctets !== undefined ? { ...whole, freeOctets } : whole
}

/** Loaded by whoever has a bucket only: others need not keep its client in memory. */
async function bucket(s3: NonNullable<Settings['bodies']['s3']>): Promise<Disk> {
  const { objectDisk } = await import('../world/node/object-disk.ts')
  return verifiedDisk(objectDisk(s3))
}
