/**
 * The certificates the server shows: the configured ones, or a self-made one in the data folder. And the PEM
 * files that the config names beside them: authorities of clients, our own certificate as a client.
 */
import { join } from 'node:path'
import { type Log, silent } from '../world/log.ts'
import { pathExists, readText } from '../world/node/config-file.ts'
import {
  type FileIdentity,
  type IdentityFiles,
  loadIdentity,
  writeSelfMadeCertificate,
} from '../world/node/index.ts'
import { ExitError } from './exit-error.ts'
import { formatSettingErrors, type SettingError } from './settings/errors.ts'
import type { Settings } from './settings/settings.ts'

/** The first is shown to who asks for no name. */
export function identityFiles(settings: Settings): [IdentityFiles, ...IdentityFiles[]] {
  const { tls = [], data } = settings
  const pairs = tls.map(({ certificate, key }) => ({ certFile: certificate, keyFile: key }))
  const [first, ...others] = pairs
  if (first !== undefined) return [first, ...others]
  return [{ certFile: join(data, 'certificate.pem'), keyFile: join(data, 'key.pem') }]
}

/** `denied`: another user may be able to read it. */
export type PemFault = SettingError & { readonly denied?: true }

/** What is wrong with the PEM files that a config names, all of it: read by `start` and told by `check`. */
export function pemFaults(settings: Settings): PemFault[] {
  const several = (settings.tls ?? []).length > 1
  const pairs = (settings.tls ?? []).flatMap(({ certificate, key }, i) => {
    const path = several ? `tls[${i}]` : 'tls'
    const missing = [
      ...fileFault(`${path}.certificate`, certificate),
      ...fileFault(`${path}.key`, key),
    ]
    return missing.length > 0 ? missing : pairFault(path, { certFile: certificate, keyFile: key })
  })
  return [...pairs, ...pemFilesOf(settings).flatMap(({ path, file }) => fileFault(path, file))]
}

function fileFault(path: string, file: string): PemFault[] {
  const found = readText(file)
  if ('text' in found) return []
  const { reason, ...denied } = found
  return [{ path, message: `cannot use ${file}: ${reason}`, ...denied }]
}

function pairFault(path: string, files: IdentityFiles): SettingError[] {
  try {
    loadIdentity(files, silent)
    return []
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return [{ path, message: `cannot use ${files.certFile} with ${files.keyFile}: ${reason}` }]
  }
}

/** Reads them, after making one for the server's user if need be. Rejects with ExitError. */
export async function openIdentity(
  settings: Settings,
  log: Log,
  own: (path: string) => void,
): Promise<FileIdentity> {
  const files = identityFiles(settings)
  const [first] = files
  if (!settings.tls) {
    if (!pathExists(first.certFile)) {
      await writeSelfMadeCertificate(first, [settings.hostname, 'localhost', '127.0.0.1', '::1'])
    }
    own(first.certFile)
    own(first.keyFile)
  }
  const faults = settings.tls
    ? pemFaults(settings)
    : [...pairFault('tls', first), ...pemFaults(settings)]
  if (faults.length > 0) throw new ExitError(78, formatSettingErrors(faults), faults)
  return loadIdentity(files, log)
}

/** The texts of PEM files, kept as they were read last where they cannot be read any more. */
export class PemFiles {
  readonly #log: Log
  readonly #texts = new Map<string, string>()
  readonly #missing = new Set<string>()

  constructor(log: Log) {
    this.#log = log
  }

  /** Throws an ExitError for a file that has never been read. */
  read(file: string): string {
    const known = this.#texts.get(file)
    if (known !== undefined) return known
    const found = readText(file)
    if ('reason' in found) throw new ExitError(78, `tls: cannot read ${file}: ${found.reason}`)
    this.#texts.set(file, found.text)
    return found.text
  }

  /** Reads every one that settings name, while that may be done; rejects with an ExitError. */
  async readAll(settings: Settings): Promise<void> {
    for (const { file } of pemFilesOf(settings)) this.read(file)
  }

  /** Looks at all of them again; now and then, by the server's timer. */
  refresh(): void {
    for (const [file, before] of this.#texts) {
      const found = readText(file)
      if ('text' in found) {
        if (found.text !== before) this.#texts.set(file, found.text)
        this.#missing.delete(file)
      } else if (!this.#missing.has(file)) {
        // Said once, not every few seconds.
        this.#missing.add(file)
        this.#log.warn('pem.kept', { file, reason: found.reason })
      }
    }
  }
}

/** Every PEM file beside the server's own certificates, and the setting that names it. */
function pemFilesOf({ listeners, outbound }: Settings): { path: string; file: string }[] {
  const roots = Object.entries(listeners).flatMap(([name, listener]) =>
    'clientCertificates' in listener && listener.clientCertificates
      ? [
          {
            path: `listeners.${name}.clientCertificates.roots`,
            file: listener.clientCertificates.roots,
          },
        ]
      : [],
  )
  const { identity: own } = outbound
  if (own === undefined) return roots
  const path = 'outbound.identity'
  return [
    ...roots,
    { path: `${path}.certificate`, file: own.certificate },
    { path: `${path}.key`, file: own.key },
  ]
}
