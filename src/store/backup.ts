/**
 * A backup of a server at work: one consistent state of the database and the staged bodies it names, in
 * a new or empty directory, synced, verified by check.ts, and with the hash of every file in a list that
 * `sha256sum -c` reads. Called by `postrider backup`; restore.ts is the way back.
 *
 * The state is copied first, while the disk is held: no body that it names goes before it is copied too,
 * although its mail may long be delivered elsewhere.
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
  hashFile,
  namesIn,
  removeAll,
  syncFile,
  writePrivateFile,
} from '../world/node/store-file.ts'
import { asStored, stemOf } from '../world/sealed-name.ts'
import { type Finding, findings, stagedBodies } from './check.ts'
import { listChunked } from './chunk-disk.ts'
import { type FileStore, openStore } from './open.ts'
import type { Store } from './store.ts'

/** The list of all files of a backup and their hashes, written last: without it there is no backup. */
export const HASHES = 'SHA256SUMS'

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

/** A body as it was copied, by its stem. */
type Copied = Map<string, { readonly sizeOctets: number; readonly sha256: string }>

/** Makes a backup. Rejects where the directory holds anything already, or there is no room. */
export async function backup(options: BackupOptions): Promise<Backup> {
  const { directory, databaseName, bodiesName, disk } = options
  await createPrivateDirectory(directory)
  await createPrivateDirectory(join(directory, bodiesName))
  const letGo = disk.hold?.()
  try {
    const copied: Copied = new Map()
    const found = await copyAll(options, copied)
    const database = join(directory, databaseName)
    const hashes = function* () {
      for (const [stem, { sha256 }] of copied) yield line(sha256, `${bodiesName}/${stem}`)
    }
    const ofDatabase = await hashFile(database)
    const list = [line(ofDatabase, databaseName), ...hashes()]
    await writePrivateFile(join(directory, HASHES), list)
    syncFile(join(directory, HASHES))
    const sizes = [...copied.values()].map(({ sizeOctets }) => sizeOctets)
    const sizeOctets = sizes.reduce((sum, size) => sum + size, fileSize(database))
    return { database, bodies: copied.size, sizeOctets, findings: found }
  } catch (error) {
    // It is no backup, and may have taken the last room of its disk.
    await emptied(directory).catch(() => undefined)
    throw error
  } finally {
    await letGo?.().catch(error => options.log.warn('backup.removing', { error: String(error) }))
  }
}

/** Removes all in a directory that was empty. */
async function emptied(directory: string): Promise<void> {
  const names = await namesIn(directory)
  await removeAll(...names.map(name => join(directory, name)))
}

/** The database alone, in a new or empty directory; its size in octets. */
export async function copyDatabase(
  store: FileStore,
  directory: string,
  databaseName: string,
): Promise<number> {
  await createPrivateDirectory(directory)
  const database = join(directory, databaseName)
  // SQLite copies into an empty file, which thereby keeps its mode.
  createPrivateFile(database)
  await store.copyTo(database)
  return fileSize(database)
}

async function copyAll(options: BackupOptions, copied: Copied): Promise<readonly Finding[]> {
  const { store, disk, clock, log, directory, databaseName, bodiesName } = options
  const database = join(directory, databaseName)
  const bodies = join(directory, bodiesName)
  createPrivateFile(database)
  await store.copyTo(database)
  const copy = await openStore({ path: database, modules: [], clock, log })
  try {
    await copyBodies(copy, disk, bodies, copied)
    const staged = [...copied].map(([name, { sizeOctets }]) => ({ name, sizeOctets }))
    const inside: Omit<StoredBody, 'changedAt'>[] = []
    for await (const body of listChunked(copy)) inside.push(body)
    return await findings(copy, [...staged, ...inside])
  } finally {
    await copy.close()
    syncFile(database)
    syncFile(bodies)
  }
}

/** Copies the staged bodies that the copied state names. */
async function copyBodies(copy: Store, disk: Disk, directory: string, copied: Copied) {
  let after = Number.MIN_SAFE_INTEGER
  for (;;) {
    const rows = await copy.read(stagedBodies, after)
    const last = rows.at(-1)
    if (last === undefined) return
    for (const { staged, size_octets } of rows) {
      if (placeOf(staged) === 'database') continue
      const stem = stemOf(staged)
      const chunks = asStored(staged, disk.read(staged, 0, size_octets))
      copied.set(stem, await writePrivateFile(join(directory, stem), chunks))
    }
    after = last.id
  }
}

/** As sha256sum (GNU coreutils) writes and reads it. */
function line(sha256: string, name: string): Uint8Array {
  return Buffer.from(`${sha256}  ${name}\n`)
}
