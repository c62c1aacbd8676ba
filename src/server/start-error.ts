/** A start that failed for a reason the operator can act on. */
import type { SettingError } from './settings/errors.ts'

export class StartError extends Error {
  /** One of sysexits: 69 unavailable, 74 I/O, 75 try again, 77 not allowed, 78 config. */
  readonly exit: number
  /** One by one, where the config has them. */
  readonly errors: readonly SettingError[] | undefined
  constructor(exit: number, message: string, errors?: readonly SettingError[]) {
    super(message)
    this.exit = exit
    this.errors = errors
  }
}

/** Turns what a step of the start rejects with into a StartError. */
export function startFailure(exit: number): (error: unknown) => never {
  return error => {
    if (error instanceof StartError) throw error
    throw new StartError(exit, error instanceof Error ? error.message : String(error))
  }
}
