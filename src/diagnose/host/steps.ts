/** The steps about one address of one host that speaks SMTP, in the order in which they are taken. */
import type { Step } from '../step.ts'
import { address } from './address.ts'
import { connect } from './connect.ts'
import type { HostContext } from './context.ts'
import { end } from './end.ts'
import { greeting } from './greeting.ts'
import { hello } from './hello.ts'
import { login } from './login.ts'
import { recipients } from './recipients.ts'
import { relay } from './relay.ts'
import { tls } from './tls.ts'

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
