/** How a connection came to a reception (reception.ts): what its listener and the whole process allow it. */
import type { Visitor } from '../limit/visit.ts'
import type { OldRoutes } from '../transit/old-route.ts'
import type { Heeding } from './heed.ts'
import type { Verifying } from './look-up.ts'

/** Accepts under way in the whole process, over all sessions. */
export interface AcceptGauge {
  underWay: number
}

/** How a connection came in. */
export interface Door {
  readonly protocol: 'smtp' | 'lmtp'
  /** The peer as the limits see him. */
  readonly visitor: Visitor
  readonly gauge: AcceptGauge
  readonly vrfy: Verifying
  /** Which old routes are read, where any are. */
  readonly routes?: OldRoutes
  readonly heeding: Heeding
}
