/** Keys from passwords in the simulation: made at once, in no time of it. */
import { pbkdf2Sync } from 'node:crypto'
import type { Stretch } from '../stretch.ts'

export const simStretch: Stretch = async ({ hash, password, salt, iterations, octets }) => ({
  kind: 'stretched',
  key: pbkdf2Sync(password, salt, iterations, octets, hash),
})
