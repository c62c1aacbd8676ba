/**
 * `postrider/sim`: a simulated internet for tests. Hosts have worlds like the real one; time is
 * virtual, faults are seeded, and a run can be had again by its seed.
 *
 *     const internet = createWorld({ seed: 7 })
 *     const mx = internet.host({ name: 'mx.example.org', addresses: ['192.0.2.1'] })
 *     internet.zones.set('example.org', { mx: [[10, 'mx.example.org']] })
 *     await mx.world.net.listen({ kind: 'tcp', address: '0.0.0.0', port: 25 }, accept)
 *     await internet.advance('4 days')
 */
export type { SimDisk } from './disk.ts'
export type { DnsFailure, SimRecords, Zones } from './dns.ts'
export type { SimFiles } from './files.ts'
export {
  createWorld,
  type Duration,
  type Host,
  type Internet,
  type LogLine,
  type WorldOptions,
} from './internet.ts'
export type { Fate, Faults, Network, Segment } from './net.ts'
export type { SimProgram, SimPrograms } from './programs.ts'
export { seededRandom } from './random.ts'
export { type SimCertificate, simIdentity } from './tls.ts'
