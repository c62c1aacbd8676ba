/** NOTIFY (RFC 3461 §4.1) as text, in queue rows and on the wire: 'NEVER' or 'SUCCESS,FAILURE,DELAY'. */
import type { Notify } from './envelope.ts'

export function parseNotify(text: string | null): Notify | undefined {
  if (text === null) return undefined
  return text === 'NEVER' ? 'NEVER' : (text.split(',') as ('SUCCESS' | 'FAILURE' | 'DELAY')[])
}

export function formatNotify(notify: Notify | undefined): string | null {
  if (notify === undefined) return null
  return notify === 'NEVER' ? 'NEVER' : notify.join(',')
}

const BY_DEFAULT = 'FAILURE,DELAY'

/** What two requests about one recipient ask for together; null is the default, to tell of failures and delays. */
export function eitherNotify(one: string | null, other: string | null): string | null {
  if (one === other || other === 'NEVER') return one
  if (one === 'NEVER') return other
  const words = new Set([one ?? BY_DEFAULT, other ?? BY_DEFAULT].flatMap(each => each.split(',')))
  return [...words].join(',')
}
