/** How the dialogue ended, where it ended before its time and no other step has said so. */
import { type Finding, finding } from '../finding.ts'
import type { Step } from '../step.ts'
import type { HostContext } from './context.ts'
import { refusal } from './refusal.ts'

export const end: Step<HostContext> = {
  name: 'end',
  run({ talk }): readonly Finding[] {
    return [talk.visit, talk.clearVisit, talk.loginVisit].flatMap(visit => {
      const trouble = visit?.trouble
      if (trouble === undefined || visit === undefined) return []
      const { phase, reason, reply } = trouble
      // Told by the steps of these names.
      if (phase === 'greeting' || phase === 'tls' || phase === 'auth') return []
      if (phase === 'hello' && reply !== undefined) return []
      if (visit.cutOff || reason.startsWith('timed out')) return [finding('too-slow', reason)]
      if (reply !== undefined) return [refusal('the session was ended', reply, 'session-ended')]
      const garbled = /^(?:no reply but|said unasked|more was said)/.test(reason)
      return [finding(garbled ? 'out-of-protocol' : 'session-ended', reason)]
    })
  },
}
