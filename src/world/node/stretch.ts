/**
 * PBKDF2 on a thread of the pool, one at a time: the pool has few threads, and files and names are waiting for
 * them too. The port of world/stretch.ts.
 */
import { pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import type { Stretch } from '../stretch.ts'

const derive = promisify(pbkdf2)

let last: Promise<unknown> = Promise.resolve()

export const nodeStretch: Stretch = ({ hash, password, salt, iterations, octets }) => {
  const stretched = last.then(async () => ({
    kind: 'stretched' as const,
    key: await derive(password, salt, iterations, octets, hash),
  }))
  last = stretched.catch(() => undefined)
  return stretched
}
