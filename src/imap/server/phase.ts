/** What a session waits for, and how much or how long: the numbers of session.ts. */

/** Output that may wait to leave before a command is made to wait. */
export const OUTSTANDING_MAX_OCTETS = 65_536
/** Counted for each command beside what it says: behind some sixty of them others get their turn. */
export const COMMAND_COSTS_OCTETS = 1024
/** How long a question may be open before the client is told that its command is not forgotten. */
export const PROGRESS_MS = 15_000
/** So much content moves the deadline on. */
export const CONTENT_STEP_OCTETS = 16_384

/** What is waited for. */
export type Phase =
  | 'command'
  | 'line'
  | 'line or change'
  | 'content'
  | 'answer'
  | 'output'
  | 'tls'
  | 'over'
