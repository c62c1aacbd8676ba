/**
 * Whether a mail host that the DNS names is this very server (RFC 5321 §5.1), so that mail sent there would come
 * back: asked by the SMTP transport, told by outbound.ts.
 */
import { isLoopback } from '../limit/loopback.ts'
import { SMTP_LISTENERS } from './settings/listener-name.ts'
import type { Settings } from './settings/settings.ts'

const SMTP_PORT = 25

/** By its name, or by an address of this machine, whatever listens there. */
export function ourselfOf(
  settings: Settings,
  ourAddresses: () => readonly string[],
): (name: string, address?: string) => boolean {
  const hostname = settings.hostname.toLowerCase()
  const elsewhere = isElsewhere(settings)
  return (name, address) => {
    if (name === hostname) return true
    if (address === undefined || !ourAddresses().includes(address)) return false
    return !(elsewhere && isLoopback(address))
  }
}

/**
 * Where mail goes out to a port of its own (a town of tests on one machine), loopback is whoever listens on that
 * port, unless we do.
 */
function isElsewhere({ outbound: { port }, listeners }: Settings): boolean {
  if (port === SMTP_PORT) return false
  return SMTP_LISTENERS.every(name => {
    const listener = listeners[name]
    return !('port' in listener) || !listener.enabled || listener.port !== port
  })
}
