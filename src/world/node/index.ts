/** The real world: every port with the machine behind it. Made once, by server/ or cli/. */
import type { World } from '../world.ts'
import { nodeClock } from './clock.ts'
import { nodeDisk } from './disk.ts'
import { type DnsOptions, nodeDns } from './dns.ts'
import { nodeFiles } from './files.ts'
import { nodeGss } from './gss.ts'
import { type LogOptions, nodeLog } from './log.ts'
import { nodeNet } from './net.ts'
import { nodePrograms } from './programs.ts'
import { nodeRandom } from './random.ts'
import { nodeStretch } from './stretch.ts'

export interface NodeWorldOptions {
  /** Where staged bodies are kept; made (0700) if need be. */
  readonly bodiesDirectory: string
  readonly dns?: DnsOptions
  readonly log?: LogOptions
}

/** Opens the real world; rejects when its directory cannot be had. */
export async function nodeWorld(options: NodeWorldOptions): Promise<World> {
  return {
    clock: nodeClock,
    random: nodeRandom,
    net: nodeNet,
    dns: nodeDns(options.dns),
    disk: await nodeDisk(options.bodiesDirectory),
    files: nodeFiles,
    programs: nodePrograms,
    log: nodeLog(options.log),
    stretch: nodeStretch,
    gss: nodeGss({}),
  }
}

export { nodeClock, turn } from './clock.ts'
export {
  type CertificatePair,
  selfMadeCertificate,
  writeSelfMadeCertificate,
} from './demo-certificate.ts'
export { nodeDisk } from './disk.ts'
export { type DnsOptions, nodeDns } from './dns.ts'
export { type FileIdentity, type IdentityFiles, loadIdentity } from './identity.ts'
export { type DirectoryLock, lockDirectory } from './lock.ts'
export { type LogLevel, type LogOptions, nodeLog } from './log.ts'
export { nodeNet } from './net.ts'
export {
  dropPrivileges,
  findGroup,
  findUser,
  inheritedSockets,
  isRoot,
  onSignals,
  type Signal,
  type User,
} from './process.ts'
export { nodeRandom } from './random.ts'
export { stdioConnection } from './stdio.ts'
export { nodeStretch } from './stretch.ts'
