/**
 * The data folder: locked by one process, with the staged bodies, the world that reads them, and the
 * database, unless that is a PostgreSQL that several nodes share. Opened by start.ts for a server and
 * by offline.ts for a command. Nobody beyond this file knows which store it is.
 */
import { join } from 'node:path'
import { openStore } from '../store/open.ts'
import { openPostgresStore } from '../store/postgres/open.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../world/log.ts'
import { nodeWorld } from '../world/node/index.ts'
import { lockDirectory } from '../world/node/lock.ts'
import type { World } from '../world/world.ts'
import { bodyDisk } from './bodies.ts'
import { STORE_MODULES } from './rooms.ts'
import type { Settings } from './settings.ts'

export const DATABASE = 'postrider.db'
export const BODIES = 'bodies'

export interface Folder {
  readonly world: World
  readonly store: Store
  /** Closes the store and gives the lock up. */
  close(): Promise<void>
}

/** Opens it; undefined where another process holds it. Rejects with StoreError, the lock given up. */
export async function openFolder(settings: Settings, log: Log): Promise<Folder | undefined> {
  const { data } = settings
  const lock = lockDirectory(data)
  if (lock.held) return undefined
  try {
    const { servers } = settings.dns
    const bodiesDirectory = settings.bodies.directory ?? join(data, BODIES)
    const real = await nodeWorld({ bodiesDirectory, ...(servers ? { dns: { servers } } : {}) })
    const store = await storeOf(settings, { ...real, log })
    const world = { ...real, log, disk: bodyDisk(settings, real, store) }
    const close = async () => {
      await store.close()
      lock.release()
    }
    return { world, store, close }
  } catch (error) {
    lock.release()
    throw error
  }
}

function storeOf({ data, database }: Settings, { clock, random, log }: World): Promise<Store> {
  if (database !== undefined) return openPostgresStore({ url: database, clock, random, log })
  return openStore({ path: join(data, DATABASE), modules: STORE_MODULES, clock, log })
}
