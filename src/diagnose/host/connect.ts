/** Whether a connection comes about, and how fast. */
import { type Finding, finding } from '../finding.ts'
import type { Step } from '../step.ts'
import type { Addressed } from './context.ts'

const SLOW_MS = 2_000

export const connect: Step<Addressed> = {
  name: 'connect',
  tookMs: ({ talk }) => talk.connect.tookMs,
  run({ host, port, talk }): readonly Finding[] {
    const { fault, tookMs } = talk.connect
    const where = `${host.address} port ${port}`
    if (fault !== undefined) return [notConnected(host.address, where, fault)]
    const ms = Math.round(tookMs)
    if (tookMs > SLOW_MS)
      return [finding('connect-slow', `${where}: connected only after ${ms} ms`)]
    return [finding('connected', `connected to ${where} in ${ms} ms`)]
  },
}

function notConnected(address: string, where: string, fault: string): Finding {
  switch (fault) {
    case 'ECONNREFUSED':
      return finding('connect-refused', `${where} refuses connections`)
    case 'ETIMEDOUT':
      return finding('connect-silent', `${where} does not answer`)
    case 'EHOSTUNREACH':
      return finding('connect-unreachable', `there is no way to ${where} (${fault})`)
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT': {
      const family = address.includes(':') ? 'IPv6' : 'IPv4'
      return finding('family-missing', `${where}: this machine has no ${family} (${fault})`)
    }
    default:
      return finding('connect-fails', `${where}: ${fault}`)
  }
}
