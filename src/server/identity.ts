/** The certificate the server shows: the configured one, or a self-made one in the data folder. */
import { join } from 'node:path'
import type { Log } from '../world/log.ts'
import { pathExists } from '../world/node/config-file.ts'
import {
  type FileIdentity,
  type IdentityFiles,
  loadIdentity,
  writeSelfMadeCertificate,
} from '../world/node/index.ts'
import type { Settings } from './settings.ts'
import { StartError } from './start-error.ts'

export function identityFiles(settings: Settings): IdentityFiles {
  const { tls, data } = settings
  return tls
    ? { certFile: tls.certificate, keyFile: tls.key }
    : { certFile: join(data, 'certificate.pem'), keyFile: join(data, 'key.pem') }
}

/** Reads it, after making it if need be. Rejects with StartError. */
export async function openIdentity(settings: Settings, log: Log): Promise<FileIdentity> {
  const files = identityFiles(settings)
  if (!settings.tls && !pathExists(files.certFile)) {
    await writeSelfMadeCertificate(files, [settings.hostname, 'localhost', '127.0.0.1', '::1'])
  }
  try {
    return loadIdentity(files, log)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StartError(78, `tls: cannot use ${files.certFile} with ${files.keyFile}: ${reason}`)
  }
}
