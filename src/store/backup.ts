/**
 * A backup of a server at work: one consistent state of the database and the staged bodies it names, in
 * a new or empty directory, synced and verified by check.ts. Called by `postrider backup`. To restore is to
 * start on a copy of that directory.
 *
 * Staged bodies go first. A body that the copied state names was there before it or came since, so a
 * second look finds the few that are missing; only one whose message was settled and removed in between
 * is lost to the copy, and that is a finding.
 *
 * Bodies in the database are in its copy. Those in object storage become files like all others: they are
 * found there by a Postrider without a bucket, or with another one (src/world/disk-places.ts).
 */
import { join } from 'node:path'
import type { Clock } from '../world/clock.ts'
import type { Disk, StoredBody } from '../world/disk.ts'
import { placeOf } from '../world/disk-places.ts'
import type { Log } from '../world/log.ts'
import {
  createPrivateDirectory,
  createPrivateFile,
  fileSize,
  syncFile,
  writePrivateFile,
} from '../world/node/store-file.ts'
import { asStored, stemOf } from '../world/sealed-name.ts'
import { type Finding, findings, stagedBodies } from './check.ts'
import { listChunked } from './chunk-disk.ts'
import { type FileStore, openStore } from './open.ts'
import type { Store } from './store.ts'
import { stagedIsNamed } from './sweep.ts'

export interface BackupOptions {
  readonly store: FileStore
  readonly disk: Disk
  readonly clock: Clock
  readonly log: Log
  /** Where to: a directory that is not there yet, or empty. */
  readonly directory: string
  /** What the server calls its database and its directory of bodies. */
  readonly databaseName: string
  readonly bodiesName: string
}

export interface Backup {
  /** The database's path in the backup. */
  readonly database: string
  /** How many staged bodies were copied. */
  readonly bodies: number
  /** Octets of the database and the bodies together. */
  readonly sizeOctets: number
  /** Every broken invariant of the copy; none in a good backup. */
  readonly findings: readonly Finding[]
}

/** Makes a backup. Rejects where the directory holds anything already, or there is no room. */
export async function backup(options: BackupOptions): Promise<Backup> {
  const { store, clock, log } = options
  const database = join(options.directory, options.databaseName)
  const bodies = join(options.directory, options.bodiesName)
  await createPrivateDirectory(options.directory)
  await createPrivateDirectory(bodies)
  const copied = new Map<string, number>()
  await copyBodies(store, options.disk, bodies, copied)
  // SQLite copies into an empty file, which thereby keeps its mode.
  createPrivateFile(database)
  await store.copyTo(database)
  const copy = await openStore({ path: database, modules: [], clock, log })
  try {
    await copyBodies(copy, options.disk, bodies, copied)
    const staged = [...copied].map(([name, sizeOctets]) => ({ name, sizeOctets }))
    const inside: Omit<StoredBody, 'changedAt'>[] = []
    for await (const body of listChunked(copy)) inside.push(body)
    const found = await findings(copy, [...staged, ...inside])
    const sizeOctets = staged.reduce((sum, file) => sum + file.sizeOctets, fileSize(database))
    return { database, bodies: copied.size, sizeOctets, findings: found }
  } finally {
    await copy.close()
    syncFile(database)
    syncFile(bodies)
  }
}

/** Copies the staged bodies that the store names and that were not copied yet. */
async function copyBodies(
  store: Store,
  disk: Disk,
  directory: string,
  copied: Map<string, number>,
): Promise<void> {
  let after = Number.MIN_SAFE_INTEGER
  for (;;) {
    const rows = await store.read(stagedBodies, after)
    const last = rows.at(-1)
    if (last === undefined) return
    for (const { staged, size_octets } of rows) {
      const stem = stemOf(staged)
      if (copied.has(stem) || placeOf(staged) === 'database') continue
      try {
        const chunks = asStored(staged, disk.read(staged, 0, size_octets))
        copied.set(stem, await writePrivateFile(join(directory, stem), chunks))
      } catch (error) {
        // Settled and removed a moment ago; if the copied state still names it, check says so.
        if (await store.read(stagedIsNamed, staged)) throw error
      }
    }
    after = last.id
  }
}
