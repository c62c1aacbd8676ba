/**
 * What a command that did not end well means to its caller: an exit code of sysexits, and one clear message. Called by
 * main.ts, for whatever a command throws; what nobody foresaw is a bug, and says so.
 */
import { ExitError } from '../server/exit-error.ts'
import type { SettingError } from '../server/settings/errors.ts'
import { STORE_EXIT } from '../server/store-exit.ts'
import { EXIT } from './exit.ts'

/** What the system refuses is no bug of ours: another user's folder, a full disk, a path that is none. */
const SYSTEM: Readonly<Record<string, number>> = {
  EACCES: EXIT.noPermission,
  EPERM: EXIT.noPermission,
  EROFS: EXIT.cantCreate,
  ENOENT: EXIT.osError,
  ENOTDIR: EXIT.osError,
  EISDIR: EXIT.osError,
  ELOOP: EXIT.osError,
  ENAMETOOLONG: EXIT.osError,
  EMFILE: EXIT.osError,
  ENFILE: EXIT.osError,
  ERR_WORKER_INIT_FAILED: EXIT.osError,
  ENOSPC: EXIT.ioError,
  EDQUOT: EXIT.ioError,
  EFBIG: EXIT.ioError,
  EIO: EXIT.ioError,
}

/** The exit code, and the message if there is one. */
export interface Failure {
  readonly exit: number
  readonly message?: string
  readonly errors?: readonly SettingError[] | undefined
  /** commander has said it already. */
  readonly told?: true
}

export function failure(error: unknown): Failure {
  if (error instanceof Error && 'exitCode' in error) {
    if (error.exitCode === 0) return { exit: EXIT.ok }
    return { exit: EXIT.usage, message: error.message.replace(/^error: /, ''), told: true }
  }
  if (error instanceof ExitError) {
    const { exit, message, errors } = error
    return { exit, message, errors }
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = error instanceof Error && 'reason' in error ? String(error.reason) : ''
  const refused = SYSTEM[code] ?? STORE_EXIT[reason]
  if (refused !== undefined && error instanceof Error)
    return { exit: refused, message: error.message }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { exit: EXIT.software, message: `this is a bug: ${message}` }
}
