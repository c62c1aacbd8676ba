/**
 * The data folder: locked by one process, with the staged bodies, the world that reads them, and the
 * database, unless that is a PostgreSQL that several nodes share. Opened by start.ts for a server and
 * by offline.ts for a command. Nobody beyond this file knows which store it is.
 */
import { join } from 'node:path'
import { unfinishedMove } from '../store/move-table.ts'
import { openStore } from '../store/open.ts'
import { restoringPath } from '../store/restore.ts'
import { type Store, StoreError } from '../store/store.ts'
import type { Log } from '../world/log.ts'
import { nodeWorld } from '../world/node/index.ts'
import { lockDirectory } from '../world/node/lock.ts'
import { spendSpareRoom } from '../world/node/spare-room.ts'
import { createPrivateFile, fileExists, namesIn } from '../world/node/store-file.ts'
import type { World } from '../world/world.ts'
import { bodyDisk } from './bodies.ts'
import { STORE_MODULES } from './rooms.ts'
import type { Settings } from './settings/settings.ts'

export const DATABASE = 'postrider.db'
export const BODIES = 'bodies'

export interface Folder {
  readonly world: World
  readonly store: Store
  /** Closes the store and gives the lock up. */
  close(): Promise<void>
}

export interface FolderOptions {
  /** Whether a store may be opened that a move into it has left half full: by the next move only. */
  readonly unfinished?: boolean
}

/** Opens it; undefined where another process holds it. Rejects with StoreError, the lock given up. */
export async function openFolder(
  settings: Settings,
  log: Log,
  options: FolderOptions = {},
): Promise<Folder | undefined> {
  const lock = lockDirectory(settings.data)
  if (lock.held) return undefined
  try {
    if (settings.database === undefined) {
      if (options.unfinished === true) markUnfinished(settings.data)
      else await refuseBereft(settings)
      if (spendSpareRoom(settings.data))
        log.warn('disk.no-room', { folder: settings.data, spent: 'the room kept for a start' })
    }
    const state = await openState(settings, log, options)
    const close = async () => {
      await state.close()
      lock.release()
    }
    return { ...state, close }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** What `openFolder` opens, without the lock: for a PostgreSQL, or for who has it. */
export async function openState(
  settings: Settings,
  log: Log,
  { unfinished = false }: FolderOptions = {},
): Promise<Folder> {
  const { servers } = settings.dns
  const real = await nodeWorld({
    bodiesDirectory: directoryOf(settings),
    ...(servers ? { dns: { servers } } : {}),
  })
  const store = await storeOf(settings, { ...real, log })
  const close = () => store.close()
  try {
    if (!unfinished) await refuseUnfinished(store)
    return { world: { ...real, log, disk: await bodyDisk(settings, real, store) }, store, close }
  } catch (error) {
    await close()
    throw error
  }
}

function directoryOf({ data, bodies }: Settings): string {
  return bodies.directory ?? join(data, BODIES)
}

/**
 * Where the database is missing and something of one is there, a new one would refuse who has an account
 * in the old, and sweep its bodies away.
 */
async function refuseBereft(settings: Settings): Promise<void> {
  const database = join(settings.data, DATABASE)
  if (fileExists(unfinishedPath(settings.data)))
    throw halfMoved(`${settings.data} is to take a move`)
  if (fileExists(database)) return
  const coming = restoringPath(database)
  const refused = (why: string) => new StoreError('broken', `${database} is missing: ${why}`)
  if (fileExists(coming))
    throw refused(`a restore was cut off: run it again, or remove ${coming} to begin with nothing`)
  const bodies = directoryOf(settings)
  if ((await namesIn(bodies)).some(isBody))
    throw refused(`there is mail in ${bodies}: put the database back, or move that mail away`)
}

/** What else may be there is not ours: the lost+found of a disk, say. */
function isBody(name: string): boolean {
  return /^[0-9a-z_-]{20,}(?:\.|$)/.test(name)
}

/** Half of everything is worse than nothing: a move that was cut off is made again, from its source. */
async function refuseUnfinished(store: Store): Promise<void> {
  const move = await store.read(unfinishedMove, null)
  if (move !== undefined) throw halfMoved(`the store is half of a move (${move})`)
}

function halfMoved(what: string): StoreError {
  const remedy = 'run migrate-store again, or start on its source'
  return new StoreError('broken', `${what} that was cut off: ${remedy}`)
}

/** Its database says itself that it is half of a move, but for the moments before there is one that can. */
function markUnfinished(data: string): void {
  if (!fileExists(join(data, DATABASE))) createPrivateFile(unfinishedPath(data))
}

/** There until all has been moved into the folder. */
export function unfinishedPath(data: string): string {
  return join(data, 'moving')
}

/** The client of PostgreSQL is loaded by whoever has one. */
async function storeOf(settings: Settings, { clock, random, log }: World): Promise<Store> {
  const { data, database } = settings
  if (database !== undefined) {
    const { openPostgresStore } = await import('../store/postgres/open.ts')
    return openPostgresStore({ url: database, clock, random, log })
  }
  return openStore({ path: join(data, DATABASE), modules: STORE_MODULES, clock, log })
}
