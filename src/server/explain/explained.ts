/** What `explain` is asked and what it says: types alone, all of it survives JSON. Times are ms since the epoch. */
import type { Forecast } from '../../queue/forecast.ts'
import type { Passed } from '../../route/decide.ts'

/** A message that is not sent, to be explained. */
export interface ExplainInput {
  /** The reverse-path; '' is the null one. */
  readonly from: string
  readonly to: readonly string[]
  /** Who hands it in: his address, and his name in EHLO. */
  readonly ip?: string
  readonly hello?: string
  /** The address of the account that has logged in; submission then, unless said. */
  readonly account?: string
  readonly listener?: 'smtp' | 'submission' | 'local'
  readonly sizeOctets?: number
  /** Lines of its header, `Name: value`; none unless said. */
  readonly header?: readonly string[]
  /** When it comes in, ms since the epoch; now unless said. */
  readonly at?: number
}

/** A host's own way, or that of a domain's MX hosts: how each would be spoken to. */
export interface ExplainedWay {
  /** One of the two. */
  readonly domain?: string
  readonly host?: string
  readonly port: number
  readonly protocol: 'smtp' | 'lmtp'
  /** What we call ourselves. */
  readonly hostname: string
  readonly tls: 'never' | 'opportunistic' | 'require' | 'implicit'
  readonly certificate: 'any' | 'verified'
  /** Where TLS fails, clear text will do. */
  readonly clearInstead: boolean
  readonly login?: string
  /** In the order they are tried; equals in an order of chance. */
  readonly hosts?: readonly { readonly name: string; readonly address: string }[]
  /** Why there are none. */
  readonly trouble?: string
}

/** A recipient as the queue would have it. */
export interface ExplainedRecipient {
  readonly address: string
  /** The address that was named, where an alias led here. */
  readonly aliasOf?: string
  /** An alias of several, which has a row of its own; all else is absent then. */
  readonly expanded?: true
  /** Under which it leaves, in angle brackets. */
  readonly reversePath?: string
  readonly route?: {
    readonly kind: string
    /** What in the config decided. */
    readonly by: string
    /** Rules that did not match, in order, and what they asked for. */
    readonly passed: readonly Passed[]
  }
  readonly transport?: string
  /** What becomes of it, in a few words. */
  readonly text?: string
  readonly ways?: readonly ExplainedWay[]
  /** Names of the rules of shaping that hold for it. */
  readonly shaping?: readonly string[]
  /** Why it would wait before its first attempt: its destination, its domain or a rule is down or suspended. */
  readonly waits?: string
  /** Why the first attempt is the last: no way will ever be there. `schedule` is absent then. */
  readonly givenUp?: string
  /** When it is tried if it is deferred each time, by its own line of `queue.schedules` where there is one. */
  readonly schedule?: ExplainedSchedule
}

export interface ExplainedSchedule extends Forecast {
  /** Each delay may be longer by this share of it. */
  readonly jitter: number
}

export interface ExplainOutput {
  readonly at: number
  readonly listener: 'smtp' | 'submission' | 'local'
  readonly ip: string
  readonly account?: string
  /** What would be said; the first is the greeting. */
  readonly session: readonly { readonly said: string; readonly reply: string }[]
  /** What becomes of the header that was given, where a user submits: the refusal, or the fields that are added. */
  readonly header?: {
    readonly refused?: string
    readonly added?: string
    readonly leavesAs?: string
  }
  /** The reply to each recipient that was named; '' where it does not come to it. */
  readonly asked: readonly { readonly path: string; readonly reply: string }[]
  readonly recipients: readonly ExplainedRecipient[]
  /** Who is told of delay and failure, where anybody is taken; '' nobody. */
  readonly noticesTo?: string
}
