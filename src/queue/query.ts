/**
 * Which recipients an operator means: the terms of a query, all of which must hold. Written as
 * `to:*@example.org state:deferred age>1h` (query-text.ts), asked of the store by query-sql.ts.
 */

/** Text with `*` in it, as what stands between the stars: one piece is exact. Letters match in both cases. */
export type Pattern = readonly string[]

/** What `state:` matches and lists show: stored states, of which 'queued' is parted in three (state.ts). */
export const SHOWN_STATES = [
  'queued',
  'deferred',
  'doubt',
  'leased',
  'held',
  'delivered',
  'relayed',
  'expanded',
  'failed',
  'expired',
  'deleted',
] as const

export type ShownState = (typeof SHOWN_STATES)[number]

/** Not yet in a final state: what is meant where a query names no state. */
export const OPEN_STATES = ['queued', 'deferred', 'doubt', 'leased', 'held'] as const

export const ORIGINS = ['mx', 'submission', 'local', 'notice'] as const

/** Fields whose value is a pattern, or a list of them, and what is matched. */
export const TEXT_FIELDS = {
  to: "the recipient's address",
  domain: "the recipient's domain",
  alias: 'the address that was accepted, where an alias led on',
  from: "the sender's address; <> is the null sender",
  id: "the message's id",
  account: 'the account that submitted it',
  peer: 'the name or address of who handed it in',
  status: 'the last status code: 4.7.1, 4.*',
  reason: 'why it is where it is: any part of that text',
  remote: 'the name or address of the host spoken to last',
  via: 'the hop that an operator has set for it (reroute)',
} as const

export type TextField = keyof typeof TEXT_FIELDS

/** Fields whose value is one of a few words. */
export const CHOICE_FIELDS = {
  state: SHOWN_STATES,
  origin: ORIGINS,
} as const

export type ChoiceField = keyof typeof CHOICE_FIELDS

/** Fields that are compared, and how their values are written. */
export const AMOUNT_FIELDS = {
  age: { unit: 'duration', what: 'how long ago it came in' },
  due: { unit: 'duration', what: 'in how long it is tried next; 0 is overdue' },
  size: { unit: 'size', what: "the message's size" },
  attempts: { unit: 'count', what: 'how often it was tried' },
  priority: { unit: 'count', what: 'from -9 to 9, mostly 0' },
} as const

export type AmountField = keyof typeof AMOUNT_FIELDS

/** `:` of a query is '=', for counts only: no age is exact. */
export type Comparison = '<' | '<=' | '=' | '>=' | '>'

export type Term = { readonly not: boolean } & (
  | { readonly kind: 'text'; readonly field: TextField; readonly any: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly field: 'state'; readonly any: readonly ShownState[] }
  | {
      readonly kind: 'choice'
      readonly field: 'origin'
      readonly any: readonly (typeof ORIGINS)[number][]
    }
  | {
      readonly kind: 'amount'
      readonly field: AmountField
      readonly by: Comparison
      /** ms, octets or a count. */
      readonly value: number
    }
)

export type Query = readonly Term[]
