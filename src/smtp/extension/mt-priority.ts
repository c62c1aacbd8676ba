/**
 * MT-PRIORITY (RFC 6710): which message goes before which. Who may ask for more than the usual is the
 * listener's to say (`priorityMax`); the order itself is the queue's (queue/claim.ts, transport/pool.ts).
 * The header field that carries a priority through hops without it is inbound/heed.ts's (RFC 6758).
 */
import { replies } from '../replies.ts'
import type { Extension } from './extension.ts'

export const mtPriority: Extension = {
  keyword: 'MT-PRIORITY',
  rfcs: [6710, 6758],
  help: 'which message goes before which',
  // §3 (3): without a parameter nothing is told of the policy by which priorities are given.
  offer: ({ settings: { priorityPolicy } }) =>
    priorityPolicy === undefined ? 'MT-PRIORITY' : `MT-PRIORITY ${priorityPolicy}`,
  mailOctets: 15,
  mail: {
    /** priority-value = (["-"] NZDIGIT) / "0"     ; §7; §4.1 (1): anything else is 501 5.5.2. */
    'MT-PRIORITY'(value, draft) {
      if (!/^(?:0|-?[1-9])$/.test(value ?? '')) return replies.badPriority
      draft.priority = Number(value)
      return undefined
    },
  },
  /** §4.1: who may not ask for so much gets the most he may, and hears of it. */
  whole(draft, { settings }) {
    if (draft.priority === undefined || draft.priority <= settings.priorityMax) return undefined
    draft.priority = settings.priorityMax
    return replies.priorityChanged(settings.priorityMax)
  },
  /** A program that says nothing of it leaves it to the header of its message (RFC 6758 §3.1). */
  writeMail: ({ priority }) => (priority === undefined ? '' : ` MT-PRIORITY=${priority}`),
}
