/** What the load generator is asked for, and what it tells: one JSON each, by argument and by its output. */

/** How a connection is secured. */
export type Security = 'clear' | 'starttls' | 'tls'

interface To {
  readonly port: number
  readonly sessions: number
  readonly security: Security
}

/** Mail as fast as it is taken, or so many a second whether it is taken or not. */
export interface SendJob extends To {
  readonly do: 'send'
  readonly to: string
  readonly messages: number
  readonly sizeOctets: number
  /** True: connections are kept; false: each message has one of its own. */
  readonly kept: boolean
  /** Messages a second, each due at its own moment. Absent: as fast as they are taken. */
  readonly rate?: number
  /** What has not begun then is not begun. */
  readonly limitMs?: number
}

/** Messages read by sessions that stay, or by one session for each. */
export interface ReadJob extends To {
  readonly do: 'read'
  readonly by: 'imap' | 'pop3'
  /** Sessions take them in turn. */
  readonly users: readonly { readonly username: string; readonly password: string }[]
  /** In each mailbox. */
  readonly messages: number
  readonly kept: boolean
  readonly durationMs: number
}

export type Job = SendJob | ReadJob

export interface Told {
  /** Messages that were taken, or read. */
  readonly count: number
  /** From then on, in ms since the epoch: the connections that are kept stood already. */
  readonly beganAt: number
  readonly seconds: number
  /** Percentiles in ms, from the moment when a message was due until its last reply. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

/** What a job has found. */
export interface Sample {
  /** Of each message, in ms. */
  readonly times: number[]
  /** When the first was begun, by the process's own clock. */
  readonly from: number
  readonly seconds: number
}
