/**
 * Whose a data folder is. What root writes there (a restore, the lock of a command) is given to the folder's
 * owner: the server, as its own user, could not open it else. Links are given, never followed. Called by
 * lock.ts, server/restore-data.ts and move-store.ts.
 */
import { lchownSync, statSync } from 'node:fs'
import { lchown, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolders } from './make-folders.ts'
import { findUser, isRoot } from './process.ts'

export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** To whom root is to give what it makes in this folder; undefined where we are not root, or it is root's. */
export function ownerOf(folder: string): Owner | undefined {
  if (!isRoot()) return undefined
  const stats = statSync(folder, { throwIfNoEntry: false })
  return stats === undefined || stats.uid === 0 ? undefined : stats
}

/** Makes a folder that is not there, for the user a config names. */
export function makeFolderOf(folder: string, name: string | undefined): void {
  if (makeFolders(folder, 0o711) === undefined) return
  const user = isRoot() && name !== undefined ? findUser(name) : undefined
  if (user !== undefined) give(folder, user)
}

export function give(path: string, { uid, gid }: Owner): void {
  lchownSync(path, uid, gid)
}

/** Gives all in a data folder, and in the others that belong to it, to the owner of the first. */
export async function giveAll(data: string, ...others: readonly string[]): Promise<void> {
  const owner = ownerOf(data)
  if (owner === undefined) return
  for (const folder of new Set([data, ...others])) {
    await lchown(folder, owner.uid, owner.gid)
    for (const name of await readdir(folder, { recursive: true })) {
      await lchown(join(folder, name), owner.uid, owner.gid)
    }
  }
}
