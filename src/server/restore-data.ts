/**
 * `postrider restore` and `postrider check --rehearse`: what is done to a data folder while no server has
 * it, or to a copy of its database while one does. Called by cli/command/restore.ts and check.ts.
 */
import { join } from 'node:path'
import { findings } from '../store/check.ts'
import { leap } from '../store/leap.ts'
import { type Rehearsal, rehearse } from '../store/rehearse.ts'
import { type Restored, restore } from '../store/restore.ts'
import type { Clock } from '../world/clock.ts'
import { silent } from '../world/log.ts'
import { isFolder } from '../world/node/config-file.ts'
import { lockDirectory } from '../world/node/lock.ts'
import { giveAll, makeFolderOf } from '../world/node/owner.ts'
import {
  createPrivateDirectory,
  namesIn,
  readFileChunks,
  removeAll,
  writePrivateFile,
} from '../world/node/store-file.ts'
import { ExitError } from './exit-error.ts'
import { BODIES, DATABASE, openFolder } from './folder.ts'
import { refuseNodes } from './move-store.ts'
import type { Settings } from './settings/settings.ts'

/** What was restored. */
export interface DataRestored {
  readonly data: string
  readonly sizeOctets: number
  readonly files: number
}

/**
 * A PostgreSQL that was brought back by its own means, or a standby that lacked the last commits, goes on above all
 * that was given out since; how many mailboxes there are. Rejects with ExitError.
 */
export async function leapDatabase(settings: Settings): Promise<number> {
  if (settings.database === undefined) throw new ExitError(64, 'name the folder of a backup')
  makeFolderOf(settings.data, settings.user)
  const folder = await openFolder(settings, silent)
  if (!folder) throw new ExitError(75, `a server runs on ${settings.data}: stop it, and all others`)
  try {
    await refuseNodes(folder.store)
    const [first] = await findings(folder.store)
    if (first) throw new ExitError(65, `it is not sound: ${first.where}: ${first.detail}`)
    return await leap(folder.store)
  } finally {
    await folder.close()
  }
}

/** Restores a backup into the data folder of the settings. Rejects with ExitError. */
export async function restoreData(
  settings: Settings,
  from: string,
  clock: Clock,
): Promise<DataRestored> {
  const { data, database } = settings
  if (database !== undefined) {
    const next = 'restore it with pg_restore, then call this without a folder'
    throw new ExitError(69, `the database is a PostgreSQL: ${next}`)
  }
  if (!isFolder(from)) throw new ExitError(66, `${from} is no folder: name the one of a backup`)
  const bodies = settings.bodies.directory ?? join(data, BODIES)
  const names = { databaseName: DATABASE, bodiesName: BODIES }
  makeFolderOf(data, settings.user)
  const lock = lockDirectory(data)
  if (lock.held) throw new ExitError(75, `a server runs on ${data}: stop it first`)
  try {
    const restored = await restore({ clock, log: silent, from, data, bodies, ...names })
    const outcome = outcomeOf(restored)
    await giveAll(data, bodies)
    return { data, ...outcome }
  } finally {
    lock.release()
  }
}

function outcomeOf(restored: Restored): { readonly sizeOctets: number; readonly files: number } {
  switch (restored.kind) {
    case 'restored':
      return { sizeOctets: restored.sizeOctets, files: restored.bodies + 1 }
    case 'occupied':
      throw new ExitError(
        73,
        `${restored.path} is there already: nothing is written over; name an empty folder, or move it away`,
      )
    case 'unlike':
      throw new ExitError(65, `${restored.path}: ${restored.detail}. Nothing can be used`)
    case 'unsound': {
      const [first] = restored.findings
      throw new ExitError(65, `the backup is not sound: ${first?.where}: ${first?.detail}`)
    }
  }
}

/**
 * Rehearses the upgrade of a database on a copy beside it, which is removed again.
 * @param copyOf has a running server make the copy in a folder; false where none runs
 */
export async function rehearseUpgrade(
  settings: Settings,
  clock: Clock,
  copyOf: (folder: string) => Promise<boolean>,
): Promise<Rehearsal> {
  const { data, database } = settings
  if (database !== undefined) {
    throw new ExitError(
      69,
      'the database is a PostgreSQL: restore a pg_dump into another database and name that one for `check`',
    )
  }
  const folder = join(data, 'rehearsal')
  await removeAll(folder)
  try {
    if (!(await copyOf(folder))) await copyAtRest(data, folder)
    return await rehearse(join(folder, DATABASE), clock, silent)
  } finally {
    await removeAll(folder)
  }
}

/** The database as it lies there, with what its log holds. */
async function copyAtRest(data: string, folder: string): Promise<void> {
  const lock = lockDirectory(data)
  if (lock.held) throw new ExitError(75, `a server holds ${data} but does not answer`)
  try {
    const names = (await namesIn(data)).filter(n => n === DATABASE || n === `${DATABASE}-wal`)
    if (!names.includes(DATABASE)) throw new ExitError(66, `there is no ${DATABASE} in ${data}`)
    await createPrivateDirectory(folder)
    for (const name of names) {
      await writePrivateFile(join(folder, name), readFileChunks(join(data, name)))
    }
  } finally {
    lock.release()
  }
}
