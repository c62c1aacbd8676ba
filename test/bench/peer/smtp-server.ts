/** smtp-server from npm as a peer, behind a program that keeps each message in a file, synced, before it answers. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { accepts } from '../load.ts'
import { freePort, launch, until } from '../program.ts'
import type { CertificateFiles } from './certificate.ts'
import { fromNpm } from './package.ts'
import type { Peer } from './peer.ts'

const SCRIPT = fileURLToPath(new URL('./smtp-server-program.ts', import.meta.url))

export const findSmtpServer = (): Promise<string | undefined> => fromNpm('smtp-server', '3.21.6')

export async function startSmtpServer(
  root: string,
  program: string,
  certificate: CertificateFiles,
): Promise<Peer> {
  const folder = join(root, 'smtp-server')
  for (const name of ['tmp', 'new']) mkdirSync(join(folder, name), { recursive: true })
  const [port, lmtpPort] = [await freePort(), await freePort()]
  const words = [SCRIPT, program, folder, certificate.key, certificate.certificate]
  const server = launch(
    process.execPath,
    [...words, String(port), String(lmtpPort)],
    join(folder, 'output'),
  )
  await until('smtp-server', async () => {
    if (server.child.exitCode !== null) throw new Error(`smtp-server ended: ${server.output()}`)
    return (await accepts(port)) && accepts(lmtpPort)
  })
  return {
    ...{ name: 'smtp-server', pid: server.child.pid ?? 0, port, lmtpPort },
    ...{ local: 'joe@bench.test', remote: 'joe@bench.test' },
    // It answers when it has delivered.
    done: () => Number.POSITIVE_INFINITY,
    stop: server.stop,
  }
}
