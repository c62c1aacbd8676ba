/** The structured log as a port: an event's name and its facts. Secrets never enter it. */
export type Facts = Readonly<Record<string, unknown>>

export interface Log {
  debug(event: string, facts?: Facts): void
  info(event: string, facts?: Facts): void
  warn(event: string, facts?: Facts): void
  error(event: string, facts?: Facts): void
  /** A log that adds these facts to every line. */
  with(facts: Facts): Log
}

/** A log that says nothing. */
export const silent: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silent,
}
