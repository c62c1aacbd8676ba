/**
 * `postrider migrate-store`: opens the store of a server that does not run and a new one, and moves all
 * from the one to the other (store/move.ts). Also refuses where other nodes are at work on either.
 */
import { resolve } from 'node:path'
import { listNodes, SILENT_MS } from '../cluster/reader.ts'
import { type Moved, type MoveEnd, move } from '../store/move.ts'
import type { Store } from '../store/store.ts'
import { silent } from '../world/log.ts'
import { currentFolder } from '../world/node/config-file.ts'
import { giveAll, makeFolderOf } from '../world/node/owner.ts'
import { removeAll } from '../world/node/store-file.ts'
import { ExitError } from './exit-error.ts'
import { type Folder, openFolder, openState, unfinishedPath } from './folder.ts'
import type { Settings } from './settings/settings.ts'

/** What was moved; where to: as the next start names it. */
export interface StoreMoved {
  readonly from: string
  readonly to: string
  readonly tables: Extract<Moved, { kind: 'moved' }>['tables']
  readonly bodies: number
}

/** @param to `postgres://...` or `sqlite:DIR` */
export async function moveStore(settings: Settings, to: string): Promise<StoreMoved> {
  const wanted = targetSettings(settings, to)
  const from = await openFolder(settings, silent)
  if (!from) {
    throw new ExitError(75, `a server runs on ${settings.data}: stop it, and all other nodes`)
  }
  try {
    await refuseNodes(from.store)
    const target = await openTarget(wanted)
    try {
      await refuseNodes(target.store)
      const moved = await carry(end(from, settings), end(target, wanted))
      if (wanted.database === undefined) await removeAll(unfinishedPath(wanted.data))
      return moved
    } finally {
      await target.close()
      if (wanted.database === undefined) await giveAll(wanted.data)
    }
  } finally {
    await from.close()
  }
}

/** PostgreSQL needs no folder of its own; that of the source is locked by us already. */
async function openTarget(settings: Settings): Promise<Folder> {
  const options = { unfinished: true }
  if (settings.database !== undefined) return openState(settings, silent, options)
  makeFolderOf(settings.data, settings.user)
  const folder = await openFolder(settings, silent, options)
  if (folder) return folder
  throw new ExitError(75, `a server runs on ${settings.data}: choose another folder`)
}

function targetSettings(settings: Settings, to: string): Settings {
  const { database: _, ...rest } = settings
  if (/^postgres(?:ql)?:\/\/\S+$/.test(to)) return { ...rest, database: to }
  const folder = /^sqlite:(.+)$/.exec(to)?.[1]
  if (folder === undefined) {
    throw new ExitError(64, '--to takes postgres://USER:PASSWORD@HOST:PORT/NAME or sqlite:DIR')
  }
  const data = resolve(currentFolder(), folder)
  if (data === settings.data && settings.database === undefined) {
    throw new ExitError(64, `${data} is where the data is now`)
  }
  return { ...rest, data }
}

function end({ store, world }: Folder, { data, database }: Settings): MoveEnd {
  return { store, disk: world.disk, named: named(data, database) }
}

/** Never with its password. */
function named(data: string, database: string | undefined): string {
  if (database === undefined) return data
  const { protocol, host, pathname } = new URL(database)
  return `${protocol}//${host}${pathname}`
}

/** No other node is to be at work on it. */
export async function refuseNodes(store: Store): Promise<void> {
  if (store.alone) return
  const nodes = await store.read(listNodes, null)
  const [alive] = nodes.filter(node => node.silentMs < SILENT_MS)
  if (alive === undefined) return
  throw new ExitError(
    75,
    `a server is at work on it (${alive.host}, process ${alive.pid}): stop all of them`,
  )
}

async function carry(source: MoveEnd, target: MoveEnd): Promise<StoreMoved> {
  const moved = await move(source, target)
  switch (moved.kind) {
    case 'moved':
      return { from: source.named, to: target.named, tables: moved.tables, bodies: moved.bodies }
    case 'occupied':
      throw new ExitError(73, `${target.named} is not empty: it was left as it is`)
    case 'unlike':
      throw new ExitError(
        65,
        `${moved.table} is not the same in ${target.named}: ${moved.detail}. It cannot be used`,
      )
    case 'unsound': {
      const [first] = moved.findings
      throw new ExitError(
        65,
        `check found ${moved.findings.length} faults in what was moved, the first: ${first?.where}: ${first?.detail}`,
      )
    }
  }
}
