/** The bare Node receiver as a peer: what it has answered is done, since it keeps nothing. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { accepts } from '../load.ts'
import { freePort, launch, until } from '../program.ts'
import type { Peer } from './peer.ts'

export async function startBare(folder: string): Promise<Peer> {
  const port = await freePort()
  const script = fileURLToPath(new URL('./bare-server.ts', import.meta.url))
  const program = launch(process.execPath, [script, String(port)], join(folder, 'bare.out'))
  await until('the bare receiver', () => accepts(port))
  return {
    name: 'bare',
    pid: program.child.pid ?? 0,
    port,
    local: 'anyone@bare.test',
    remote: 'anyone@bare.test',
    done: () => Number.POSITIVE_INFINITY,
    stop: program.stop,
  }
}
