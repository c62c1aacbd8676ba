/**
 * A server's certificates from PEM files (certbot's, say), replaced while it serves. `refresh` is
 * called by the server's timer every few seconds and on SIGHUP: it looks at the files rather than
 * trust a file watcher. A pair that cannot be used (half written, not matching) never replaces one
 * that can. Of several pairs the client's server name chooses (RFC 6066 §3); the first is for who asks for none.
 */
import { constants, X509Certificate } from 'node:crypto'
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
  current(wanted?: { readonly servername?: string; readonly clientRoots?: string }): SecureContext
  /** Reads the files again if they have changed; true when a new certificate is in use. */
  refresh(): boolean
}

/** Loads one pair or several, the first first; throws when one is missing or does not match. */
export function loadIdentity(
  files: IdentityFiles | readonly [IdentityFiles, ...IdentityFiles[]],
  log: Log,
): FileIdentity {
  const [first, ...others] = (Array.isArray(files) ? files : [files]) as [IdentityFiles]
  const pairs = [new Pair(first), ...others.map(one => new Pair(one))] as const
  return {
    several: pairs.length > 1,
    current({ servername, clientRoots } = {}) {
      const named = servername && pairs.find(pair => pair.isFor(servername))
      return (named || pairs[0]).context(clientRoots)
    },
    covers: name => pairs.some(pair => pair.isFor(name)),
    refresh: () => pairs.map(pair => pair.refresh(log)).some(changed => changed),
  }
}

/** One certificate and its key. */
class Pair {
  readonly #files: IdentityFiles
  #seen: string
  #certificate: X509Certificate
  /** By the roots of clients' certificates; '' is where none is asked for. */
  #contexts: Map<string, SecureContext>

  constructor(files: IdentityFiles) {
    this.#files = files
    this.#seen = signature(files)
    this.#certificate = new X509Certificate(readFileSync(files.certFile))
    this.#contexts = new Map([['', read(files)]])
  }

  isFor(servername: string): boolean {
    return this.#certificate.checkHost(servername) !== undefined
  }

  context(clientRoots = ''): SecureContext {
    const known = this.#contexts.get(clientRoots)
    if (known !== undefined) return known
    const made = read(this.#files, clientRoots)
    this.#contexts.set(clientRoots, made)
    return made
  }

  refresh(log: Log): boolean {
    const files = this.#files
    const now = signature(files)
    if (now === this.#seen) return false
    try {
      // Remembered even if it is bad: it is tried and reported once, not every few seconds.
      this.#seen = now
      const certificate = new X509Certificate(readFileSync(files.certFile))
      const roots = [...this.#contexts.keys()]
      this.#contexts = new Map(roots.map(some => [some, read(files, some)]))
      this.#certificate = certificate
      log.info('certificate-replaced', { certFile: files.certFile })
      return true
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      log.warn('certificate-kept', { certFile: files.certFile, reason })
      return false
    }
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

function read(files: IdentityFiles, clientRoots = ''): SecureContext {
  return createSecureContext({
    cert: readFileSync(files.certFile),
    key: readFileSync(files.keyFile),
    minVersion: files.minVersion ?? 'TLSv1.2',
    honorCipherOrder: true,
    // No mail client begins a second handshake, which costs us more than it, and `tls-unique` is of the first.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    // A session can be resumed only where its client was asked for the same.
    ...(clientRoots === '' ? {} : { ca: clientRoots, sessionIdContext: 'clients' }),
  })
}
