/** The bare Node receiver as a peer: what it has answered is done, since it keeps nothing. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { accepts } from '../load.ts'
import { freePort, launch, until } from '../program.ts'
import type { CertificateFiles } from './certificate.ts'
import type { Peer } from './peer.ts'

/** With a certificate it also knows STARTTLS. */
export async function startBare(folder: string, tls?: CertificateFiles): Promise<Peer> {
  const port = await freePort()
  const script = fileURLToPath(new URL('./bare-server.ts', import.meta.url))
  const words = [script, String(port), ...(tls ? [tls.key, tls.certificate] : [])]
  const program = launch(process.execPath, words, join(folder, 'bare.out'))
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
