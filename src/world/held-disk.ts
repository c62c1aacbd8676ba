/**
 * A disk from which nothing goes while somebody holds it: what is removed meanwhile goes when the last one
 * lets go. So a backup finds every body that the state it has copied names, however soon its mail has gone
 * on. Implements world/disk.ts over one of them; made by server/bodies.ts. A process that dies while it is
 * held leaves bodies that no row names, as one that dies before any removal does.
 */
import type { Disk } from './disk.ts'

export function heldDisk(disk: Disk): Disk {
  let holders = 0
  let due: (() => Promise<void>)[] = []
  const later = async (remove: () => Promise<void>) => {
    if (holders === 0) await remove()
    else due.push(remove)
  }
  const { shared } = disk
  return {
    ...disk,
    remove: name => later(() => disk.remove(name)),
    ...(shared
      ? { shared: { ...shared, purge: name => later(() => shared.purge(name)) } }
      : undefined),
    hold() {
      holders++
      let held = true
      return async () => {
        if (!held) return
        held = false
        if (--holders > 0) return
        const removals = due
        due = []
        for (const remove of removals) await remove()
      }
    },
  }
}
