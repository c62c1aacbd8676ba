/** The steps about one address of one host that speaks SMTP, in the order in which they are taken. */
import type { Host } from '../../transport/hosts.ts'
import type { Place, Step } from '../step.ts'
import type { Talk } from '../talk.ts'
import type { Exchange } from '../transcript.ts'
import { address } from './address.ts'
import { connect } from './connect.ts'
import { end } from './end.ts'
import { greeting } from './greeting.ts'
import { hello } from './hello.ts'
import { login } from './login.ts'
import { recipients } from './recipients.ts'
import { relay } from './relay.ts'
import { tls } from './tls.ts'

export interface HostContext extends Place {
  readonly host: Host
  readonly port: number
  /** Found by MX; else it was named outright, or is a domain's own address. */
  readonly byMx: boolean
  /** Users submit here: TLS and logins must be. */
  readonly submission: boolean
  readonly wantsLogin: boolean
  readonly talk: Talk
}

export const hostSteps: readonly Step<HostContext>[] = [
  address,
  connect,
  greeting,
  hello,
  tls,
  login,
  recipients,
  relay,
  end,
]

/** The exchanges whose command begins with one of the words. */
export function exchangesOf({ talk }: HostContext, ...verbs: readonly string[]): Exchange[] {
  return talk.transcript.exchanges.filter(({ said }) => verbs.includes(verbOf(said)))
}

function verbOf(said: string): string {
  return said.split(' ', 1)[0] ?? ''
}
