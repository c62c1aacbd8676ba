/** What is said while the disk has no room, and how that shows: before a message is sent, or when it cannot be kept. */
import type { Room } from '../limit/free-space.ts'
import type { Sender } from '../mail/envelope.ts'
import { defer, type Verdict } from '../mail/verdict.ts'
import type { Later } from '../smtp/server/question.ts'
import { StoreError } from '../store/store.ts'
import { DiskFull } from '../world/disk.ts'

/** RFC 5321 §4.2.3 */
export const NO_ROOM = defer(452, '3.1', 'insufficient system storage; try again later')

/** RFC 1870 §6.3: what has no place just now is put off before it is sent; so is all, where none is left. */
export function judgeDisk(room: Room, { sizeOctets = 0 }: Sender, taken: Verdict): Later<Verdict> {
  if (taken.kind !== 'accept') return taken
  const fits = room.for(sizeOctets)
  if (typeof fits === 'boolean') return fits ? taken : NO_ROOM
  return fits.then(found => (found ? taken : NO_ROOM))
}

/** Whether it was for want of room that something could not be kept. */
export function isFull(error: unknown): boolean {
  return error instanceof DiskFull || (error instanceof StoreError && error.reason === 'full')
}
