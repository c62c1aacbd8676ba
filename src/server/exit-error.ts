/**
 * A start, a command or an operation that ends for a reason its user can act on: with a message for him, and an exit
 * code of sysexits (cli/exit.ts). Over the control socket it travels as an `OperationAnswer`.
 */
import type { SettingError } from './settings/errors.ts'

export class ExitError extends Error {
  /** 64 usage, 65 bad data, 67 no such user, 69 unavailable, 74 I/O, 75 try again, 77 not allowed, 78 config ... */
  readonly exit: number
  /** One by one, where the config has them: for `--json`. */
  readonly errors: readonly SettingError[] | undefined
  constructor(exit: number, message: string, errors?: readonly SettingError[]) {
    super(message)
    this.exit = exit
    this.errors = errors
  }
}

/** Turns what a step of the start rejects with into an ExitError. */
export function startFailure(exit: number): (error: unknown) => never {
  return error => {
    if (error instanceof ExitError) throw error
    throw new ExitError(exit, error instanceof Error ? error.message : String(error))
  }
}
