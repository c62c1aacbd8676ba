/**
 * Room on the disk that is kept for the next start: a database in WAL mode cannot be opened where not a block is free (its
 * index of the log is a file of its own), so that a server that dies on a full disk would not come back. A file of
 * the data folder holds the room, and is removed by whoever opens the folder while the disk is short. Of random
 * octets, since file systems that compress would keep no room for zeros. Called by server/folder.ts and start.ts.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, rmSync, statfsSync } from 'node:fs'
import { rename, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What a start writes before it serves, amply. */
export const SPARE_OCTETS = 2 * 1024 * 1024

const NAME = 'spare-room'
/** What it is called until it is whole; a process that is killed meanwhile leaves it behind. */
const UNFINISHED = `${NAME}.new`

/** Gives the room back where the disk has less than that; true where it did. */
export function spendSpareRoom(folder: string): boolean {
  const held = [NAME, UNFINISHED].map(name => join(folder, name)).filter(existsSync)
  if (held.length === 0 || freeOf(statfsSync(folder)) >= SPARE_OCTETS) return false
  for (const file of held) rmSync(file, { force: true })
  return true
}

/**
 * Sets the room aside, unless that is done, or would leave less than `leaveOctets` free. Never rejects: a disk that
 * is filled meanwhile, or takes no writes, is told of by whoever keeps mail on it.
 */
export async function keepSpareRoom(folder: string, leaveOctets: number): Promise<void> {
  const file = join(folder, NAME)
  if (existsSync(file)) return
  // Under its name only when it is whole: else a crash in the middle would leave less.
  const unfinished = join(folder, UNFINISHED)
  try {
    if (freeOf(await statfs(folder)) < leaveOctets + SPARE_OCTETS) return
    await writeFile(unfinished, randomBytes(SPARE_OCTETS), { mode: 0o600, flush: true })
    await rename(unfinished, file)
  } catch {
    await rm(unfinished, { force: true }).catch(() => {})
  }
}

function freeOf({ bavail, bsize }: { readonly bavail: number; readonly bsize: number }): number {
  return bavail * bsize
}
