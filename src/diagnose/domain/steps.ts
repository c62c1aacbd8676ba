/** The steps about a domain, in the order in which they are taken. */
import type { Located } from '../../transport/hosts.ts'
import type { Place, Step } from '../step.ts'
import { mailHosts } from './mail-hosts.ts'
import { records } from './records.ts'

export interface DomainContext extends Place {
  /** As DNS spells it, or an address literal in its brackets. */
  readonly domain: string
  /** Where a sender would go, by the rules of transport/hosts.ts. */
  readonly located: Located
  /** DKIM selectors to look up. */
  readonly selectors: readonly string[]
  /** Names and addresses of ours, where the domain is ours: an MX record must lead to one. */
  readonly ours: readonly string[]
}

export const domainSteps: readonly Step<DomainContext>[] = [mailHosts, records]
