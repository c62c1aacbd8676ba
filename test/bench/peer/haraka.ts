/**
 * Haraka from npm as a peer: its outbound queue (a file each, synced) and a plugin of a few lines that takes everything and
 * names the next hop. It has no mailboxes. One process, as by default.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { accepts } from '../load.ts'
import { freePort, launch, until } from '../program.ts'
import type { CertificateFiles } from './certificate.ts'
import { fromNpm } from './package.ts'
import type { Peer } from './peer.ts'
import type { Sink } from './sink.ts'

export const findHaraka = (): Promise<string | undefined> => fromNpm('Haraka', '3.3.4')

export interface HarakaOptions {
  readonly sink: Sink
  readonly certificate: CertificateFiles
  /** It keeps what it has taken. */
  readonly hold?: boolean
}

export async function startHaraka(
  root: string,
  program: string,
  { sink, certificate, hold = false }: HarakaOptions,
): Promise<Peer> {
  const folder = join(root, 'haraka')
  for (const name of ['config', 'plugins', 'queue']) {
    mkdirSync(join(folder, name), { recursive: true })
  }
  const port = await freePort()
  const config = (name: string, text: string) =>
    writeFileSync(join(folder, 'config', name), `${text}\n`)
  config('smtp.ini', `listen=127.0.0.1:${port}`)
  config('plugins', 'tls\nbench')
  config('me', 'haraka.test')
  config('log.ini', '[main]\nlevel=warn')
  // A file of ours replaces its own, which has what it cannot do without.
  const own = readFileSync(join(program, 'config/connection.ini'), 'utf8')
  config('connection.ini', own.replace(/^bytes=.*/m, 'bytes=104857600'))
  config('outbound.ini', `disabled=${hold}\nenable_tls=false`)
  copyFileSync(certificate.key, join(folder, 'config/tls_key.pem'))
  copyFileSync(certificate.certificate, join(folder, 'config/tls_cert.pem'))
  writeFileSync(join(folder, 'plugins/bench.js'), plugin(sink.port))
  const script = join(program, 'bin/haraka')
  const server = launch(process.execPath, [script, '-c', folder], join(folder, 'output'))
  await until('Haraka', () => {
    if (server.child.exitCode !== null) throw new Error(`Haraka ended: ${server.output()}`)
    return accepts(port)
  })
  return {
    ...{ name: 'Haraka', pid: server.child.pid ?? 0, port },
    ...{ local: 'joe@elsewhere.test', remote: 'joe@elsewhere.test' },
    done: work => (work === 'relay' ? sink.count() : Number.POSITIVE_INFINITY),
    stop: server.stop,
  }
}

function plugin(sinkPort: number): string {
  return `exports.hook_rcpt = (next, connection) => {
  connection.relaying = true
  next(OK)
}
exports.hook_get_mx = (next) => next(OK, { priority: 0, exchange: '127.0.0.1', port: ${sinkPort} })
`
}
