/**
 * A server's certificate from PEM files (certbot's, say), replaced while it serves. `refresh` is
 * called by the server's timer every few seconds and on SIGHUP: it looks at the files rather than
 * trust a file watcher. A pair that cannot be used (half written, not matching) never replaces one
 * that can.
 */
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Log } from '../log.ts'
import type { ServerIdentity } from '../net.ts'

export interface IdentityFiles {
  /** PEM: the certificate, then its chain. */
  readonly certFile: string
  readonly keyFile: string
  /** Older versions are refused; TLS 1.0 and 1.1 are dead (RFC 8996). */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
}

export interface FileIdentity extends ServerIdentity {
  current(): SecureContext
  /** Reads the files again if they have changed; true when a new certificate is in use. */
  refresh(): boolean
}

/** Loads the pair; throws when it is missing or does not match. */
export function loadIdentity(files: IdentityFiles, log: Log): FileIdentity {
  let seen = signature(files)
  let context = read(files)
  return {
    current: () => context,
    refresh() {
      const now = signature(files)
      if (now === seen) return false
      try {
        // Remembered even if it is bad: it is tried and reported once, not every few seconds.
        seen = now
        context = read(files)
        log.info('certificate-replaced', { certFile: files.certFile })
        return true
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        log.warn('certificate-kept', { certFile: files.certFile, reason })
        return false
      }
    },
  }
}

/** Changes with the files' content, and with where certbot's links point. */
function signature(files: IdentityFiles): string {
  const of = (path: string) => {
    const stats = statSync(path, { throwIfNoEntry: false })
    return stats ? `${stats.ino}:${stats.size}:${stats.mtimeMs}:${stats.ctimeMs}` : 'missing'
  }
  return `${of(files.certFile)} ${of(files.keyFile)}`
}

function read(files: IdentityFiles): SecureContext {
  return createSecureContext({
    cert: readFileSync(files.certFile),
    key: readFileSync(files.keyFile),
    minVersion: files.minVersion ?? 'TLSv1.2',
    honorCipherOrder: true,
  })
}
