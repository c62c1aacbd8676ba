/**
 * Whose a data folder is. What root writes there (a restore, the lock of a command) is given to the folder's
 * owner: the server, as its own user, could not open it else. Links are given, never followed. Called by
 * lock.ts and server/restore-data.ts.
 */
import { lchownSync, mkdirSync, statSync } from 'node:fs'
import { lchown, readdir } from 'node:fs/promises'
import { join } from 'node:path'
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
  if (mkdirSync(folder, { recursive: true, mode: 0o711 }) === undefined) return
  const user = isRoot() && name !== undefined ? findUser(name) : undefined
  if (user !== undefined) give(folder, user)
}

export function give(path: string, { uid, gid }: Owner): void {
  lchownSync(path, uid, gid)
}

/** Gives a folder, its files, and those of its folders. */
export async function giveAll(folder: string, { uid, gid }: Owner): Promise<void> {
  await lchown(folder, uid, gid)
  for (const name of await readdir(folder, { recursive: true })) {
    await lchown(join(folder, name), uid, gid)
  }
}
