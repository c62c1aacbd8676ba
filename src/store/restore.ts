/**
 * The way back from a backup (backup.ts): copies it to where a server keeps its data, proves every file by
 * its hash and the whole by check.ts, and only then gives the database its name. Called by `postrider
 * restore`, which holds the data directory's lock.
 *
 * Nothing that is there is written over. A restore that was cut off leaves a database under another name,
 * beside which no server starts (server/folder.ts); the next one begins anew.
 */
import { basename, dirname, join } from 'node:path'
import type { Clock } from '../world/clock.ts'
import type { StoredBody } from '../world/disk.ts'
import type { Log } from '../world/log.ts'
import {
  createPrivateFile,
  ensurePrivateDirectory,
  fileSize,
  namesIn,
  readFileChunks,
  readFileLines,
  removeAll,
  renameFile,
  syncFile,
  writePrivateFile,
} from '../world/node/store-file.ts'
import { HASHES } from './backup.ts'
import { type Finding, findings } from './check.ts'
import { listChunked } from './chunk-disk.ts'
import { countPath } from './commit-count.ts'
import { leap } from './leap.ts'
import { openStore } from './open.ts'

export interface RestoreOptions {
  readonly clock: Clock
  readonly log: Log
  /** The directory of the backup. */
  readonly from: string
  /** The names of database and bodies in it. */
  readonly databaseName: string
  readonly bodiesName: string
  /** Where to: the data directory, whose database has the same name, and that of bodies. */
  readonly data: string
  readonly bodies: string
}

export type Restored =
  | { readonly kind: 'restored'; readonly bodies: number; readonly sizeOctets: number }
  /** There is something where it would go: nothing was touched. */
  | { readonly kind: 'occupied'; readonly path: string }
  /** It is no backup, or not a whole one. */
  | { readonly kind: 'unlike'; readonly path: string; readonly detail: string }
  /** Every octet is there, and check found this. */
  | { readonly kind: 'unsound'; readonly findings: readonly Finding[] }

interface Listed {
  readonly sha256: string
  readonly name: string
}

/** What a database is called until all of it is there. */
export function restoringPath(database: string): string {
  return join(dirname(database), `restoring-${basename(database)}`)
}

/** Restores. Rejects with StoreError where the database is of a newer version, or as the file system does. */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { data, databaseName } = options
  const final = join(data, databaseName)
  const coming = restoringPath(final)
  const occupied = await occupant(options, coming)
  if (occupied !== undefined) return { kind: 'occupied', path: occupied }
  const files = await listOf(options)
  if (files === undefined) {
    const detail = `there is no ${HASHES} that names a database and bodies: it is no backup, or was cut off`
    return { kind: 'unlike', path: options.from, detail }
  }
  await removeAll(coming, `${coming}-wal`, `${coming}-shm`)
  createPrivateFile(coming)
  syncFile(coming)
  const copied = await copyFiles(options, files, coming)
  if ('kind' in copied) return copied
  const found = await verify(options, coming, copied.bodies)
  if (found.length > 0) return { kind: 'unsound', findings: found }
  syncFile(coming)
  // What was answered for by a database that is no longer here is nothing to this one.
  await removeAll(countPath(final))
  renameFile(coming, final)
  return { kind: 'restored', bodies: copied.bodies.length, sizeOctets: copied.sizeOctets }
}

/** What must not be written over. The log of another database would be replayed into this one. */
async function occupant(options: RestoreOptions, coming: string): Promise<string | undefined> {
  const { data, databaseName, bodies } = options
  const names = await namesIn(data)
  const own = names.find(name => name.startsWith(databaseName))
  if (own !== undefined) return join(data, own)
  const goesOn = names.some(name => join(data, name) === coming)
  return !goesOn && (await namesIn(bodies)).length > 0 ? bodies : undefined
}

/** The files of the backup, the bodies first; undefined where it has no list of them. */
async function listOf(options: RestoreOptions): Promise<readonly Listed[] | undefined> {
  const { from, databaseName, bodiesName } = options
  if (!(await namesIn(from)).includes(HASHES)) return undefined
  const bodies: Listed[] = []
  let database: Listed | undefined
  for await (const text of readFileLines(join(from, HASHES))) {
    const [, sha256 = '', name = ''] = /^([0-9a-f]{64}) {2}(.+)$/.exec(text) ?? []
    if (name === databaseName) database = { sha256, name }
    // Never a way out of the backup: behind the folder the name of a body has no slash and no dot.
    else if (isBody(name, bodiesName)) bodies.push({ sha256, name })
    else return undefined
  }
  return database === undefined ? undefined : [...bodies, database]
}

function isBody(name: string, bodiesName: string): boolean {
  const folder = `${bodiesName}/`
  return name.startsWith(folder) && /^[0-9a-z_-]+$/.test(name.slice(folder.length))
}

async function copyFiles(
  { from, databaseName, bodiesName, bodies }: RestoreOptions,
  files: readonly Listed[],
  coming: string,
): Promise<
  | { readonly bodies: { name: string; sizeOctets: number }[]; readonly sizeOctets: number }
  | Extract<Restored, { kind: 'unlike' }>
> {
  await ensurePrivateDirectory(bodies)
  const copied: { name: string; sizeOctets: number }[] = []
  for (const { sha256, name } of files) {
    const path = join(from, name)
    const stem = name.slice(bodiesName.length + 1)
    const to = name === databaseName ? coming : join(bodies, stem)
    try {
      const written = await writePrivateFile(to, readFileChunks(path), 'over')
      if (written.sha256 !== sha256) {
        return { kind: 'unlike', path, detail: `its SHA-256 is not the one in ${HASHES}` }
      }
      if (name !== databaseName) copied.push({ name: stem, sizeOctets: written.sizeOctets })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      return { kind: 'unlike', path, detail: 'it is missing' }
    }
  }
  syncFile(bodies)
  const sizes = copied.map(({ sizeOctets }) => sizeOctets)
  return { bodies: copied, sizeOctets: sizes.reduce((sum, size) => sum + size, fileSize(coming)) }
}

/** Brings the database to this version, looks at all of it, and has it go on above what was given out since. */
async function verify(
  { clock, log }: RestoreOptions,
  path: string,
  bodies: readonly { readonly name: string; readonly sizeOctets: number }[],
): Promise<readonly Finding[]> {
  const store = await openStore({ path, modules: [], clock, log })
  try {
    const inside: Omit<StoredBody, 'changedAt'>[] = []
    for await (const body of listChunked(store)) inside.push(body)
    const found = await findings(store, [...bodies, ...inside])
    if (found.length === 0) await leap(store)
    return found
  } finally {
    await store.close()
  }
}
