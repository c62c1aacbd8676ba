/** What the steps about one address are given, and how they find what was said. */
import type { Host } from '../../transport/hosts.ts'
import type { Place } from '../step.ts'
import type { Talk } from '../talk.ts'
import type { Exchange } from '../transcript.ts'

/** One address of one host, whatever it speaks. */
export interface Addressed extends Place {
  readonly host: Host
  readonly port: number
  /** Found by MX; else it was named outright, or is a domain's own address. */
  readonly byMx: boolean
  /** Its name is one for tests: no authority knows it, so that a certificate of one's own is no fault. */
  readonly forTests: boolean
  readonly talk: Pick<Talk, 'transcript' | 'connect' | 'tlsFault'>
}

export interface HostContext extends Addressed {
  /** Users submit here: TLS and logins must be. */
  readonly submission: boolean
  readonly wantsLogin: boolean
  readonly talk: Talk
}

/** The exchanges whose command begins with one of the words. */
export function exchangesOf({ talk }: HostContext, ...verbs: readonly string[]): Exchange[] {
  return talk.transcript.exchanges.filter(({ said }) => verbs.includes(verbOf(said)))
}

function verbOf(said: string): string {
  return said.split(' ', 1)[0] ?? ''
}
